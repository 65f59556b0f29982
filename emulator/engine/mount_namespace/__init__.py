"""A mount namespace for each execution environment: its own /var/task, /opt, /tmp and /etc/hosts, on Linux."""
