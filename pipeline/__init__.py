"""Getting the shop into AWS: bootstrap, audit of permissions, rehearsal, deployment, verification and the way back."""
