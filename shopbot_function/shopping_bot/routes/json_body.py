"""Bodies of requests: one JSON object, of limited size."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from shopping_bot import json_text
from shopping_bot.config import MAXIMUM_BODY_BYTES
from shopping_bot.json_text import InvalidJsonError
from shopping_bot.problem import Problem

# `curl -d` says application/x-www-form-urlencoded whatever it sends, and many clients say text/plain or nothing.
_VAGUE_TYPES = {"", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"}


def read_object() -> dict[str, Any]:
    """Return the JSON object in the body of the request; numbers with a fraction are Decimal.

    Raises Problem 400 with a sentence, also for a body of more than MAXIMUM_BODY_BYTES, and 415 for one that says it
    is something else than JSON.
    """
    media_type = request.mimetype.lower()
    if media_type not in _VAGUE_TYPES and not media_type.endswith(("/json", "+json")):
        raise Problem(415, "Send the body as JSON, with Content-Type: application/json.")
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise Problem(400, f"The body is too large; send at most {MAXIMUM_BODY_BYTES} bytes.") from None
    if not raw.strip():
        raise Problem(400, "The body is empty; send a JSON object.")
    try:
        value = json_text.parse(raw)
    except InvalidJsonError as error:
        raise Problem(400, str(error)) from error
    if not isinstance(value, dict):
        raise Problem(400, 'The body must be a JSON object, such as {"user_id": "u1", "message": "hi"}.')
    return value
