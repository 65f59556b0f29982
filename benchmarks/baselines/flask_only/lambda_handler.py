"""The floor with the framework: Flask behind serverless-wsgi, one route, nothing else."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from typing import Any

import serverless_wsgi  # type: ignore[import-untyped]
from flask import Flask

app = Flask(__name__)


@app.get("/health")
def health() -> dict[str, str]:
    """Say that the service runs."""
    return {"status": "ok"}


def lambda_handler(event: Any, context: Any) -> Any:
    """Answer one request."""
    return serverless_wsgi.handle_request(app, event, context)
