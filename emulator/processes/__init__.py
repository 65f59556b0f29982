"""Processes and ports: who runs, who owns a state folder, and that nothing outlives its parent."""
