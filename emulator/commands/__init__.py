"""What a person calls: start, invoke, up, down, status, env, and what they print."""
