"""The unmodified `sam`: what is built with it, the commands that run it, and sources that change after a build."""
