"""The JSON body of a request: its type, its size, its text."""

from __future__ import annotations

from typing import Any

from lambda_http import json_text
from lambda_http.json_text import InvalidJsonError
from lambda_http.problem import Problem

MAXIMUM_BODY_BYTES = 64 * 1024

# `curl -d` says application/x-www-form-urlencoded whatever it sends, and many clients say text/plain or nothing.
_VAGUE_TYPES = {"", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"}


def check_type(content_type: str) -> None:
    """Return when a body that says it is `content_type` may be JSON. Raises Problem 415."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _VAGUE_TYPES and not media_type.endswith(("/json", "+json")):
        raise Problem(415, "Send the body as JSON, with Content-Type: application/json.")


def parse(raw: bytes) -> Any:
    """Return the JSON value in the body `raw`, as `json_text.parse`.

    Raises Problem 413 for more than MAXIMUM_BODY_BYTES, 400 for what is not acceptable JSON.
    """
    if len(raw) > MAXIMUM_BODY_BYTES:
        raise too_large()
    try:
        return json_text.parse(raw)
    except InvalidJsonError as error:
        raise Problem(400, str(error)) from error


def too_large() -> Problem:
    """Return the 413 for a body of more than MAXIMUM_BODY_BYTES."""
    return Problem(413, f"The body is too large; send at most {MAXIMUM_BODY_BYTES} bytes.")
