"""Bodies of requests: one JSON object."""

from __future__ import annotations

from typing import Any

from flask import request

from lambda_http import json_body
from lambda_http.problem import Problem


def check_length() -> None:
    """Return when the body of the request is of a size that some route takes. Raises Problem 413."""
    if (request.content_length or 0) > json_body.MAXIMUM_BODY_BYTES:
        raise json_body.too_large()


def read_object() -> dict[str, Any]:
    """Return the JSON object in the body of the request; numbers with a fraction are Decimal.

    Raises Problem 400 with a sentence, and what `json_body.check_type` and `json_body.parse` raise.
    """
    json_body.check_type(request.mimetype)
    raw = request.get_data(cache=False)
    if not raw.strip():
        raise Problem(400, "The body is empty; send a JSON object.")
    value = json_body.parse(raw)
    if not isinstance(value, dict):
        raise Problem(400, 'The body must be a JSON object, such as {"user_id": "u1", "message": "hi"}.')
    return value
