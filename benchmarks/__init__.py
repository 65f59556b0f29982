"""What a developer waits for, measured in one run: see README.md. Never deployed."""
