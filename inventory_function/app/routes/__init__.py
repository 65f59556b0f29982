"""The routes of the API, one module for each resource; DESIGN of the answers is in docs/api.md and /openapi.json."""
