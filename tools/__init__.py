"""What sets up, builds and packages: run from the Makefile, never deployed."""
