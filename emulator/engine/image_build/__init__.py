"""Build images of simple Dockerfiles without a container: instructions become files of a folder, and settings."""
