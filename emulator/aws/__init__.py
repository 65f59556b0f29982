"""AWS on this machine: MiniStack, and in it what the template declares."""
