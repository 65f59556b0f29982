"""The end-to-end check of a deployment: `python -m pipeline.smoke URL` (standard library only)."""
