"""The audit of the template's permissions: a function may call what its code calls, and nothing else."""
