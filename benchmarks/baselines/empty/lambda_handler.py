"""The floor: what `awslambdaric` and Python take when the handler does nothing."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from typing import Any


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001
    """Answer every event alike."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status":"ok"}'}
