"""What POST /chat and its siblings take, checked before anything else happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_http.problem import Problem
from lambda_http.text import is_readable, is_visible

MAXIMUM_USER_ID = 128
MAXIMUM_MESSAGE = 2000
CHANNELS = ("web", "mobile", "whatsapp", "api")

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class ChatRequest(NamedTuple):
    """A customer's message; without `session_id` it begins a conversation."""

    user_id: str
    message: str
    session_id: str | None
    channel: str


def chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """Return the request in `body`. Raises Problem 400 with a sentence."""
    _only(body, "user_id", "message", "session_id", "channel")
    channel = body.get("channel")
    if channel is not None and channel not in CHANNELS:
        raise Problem(400, f"channel must be one of {', '.join(CHANNELS)}, or left out.")
    return ChatRequest(user_id(body.get("user_id")), _message(body), _session_id(body), channel or "api")


def reset_request(body: Mapping[str, Any]) -> tuple[str, str]:
    """Return the user_id and the session_id in `body`. Raises Problem 400 with a sentence."""
    _only(body, "user_id", "session_id")
    session_id = _session_id(body)
    if session_id is None:
        raise Problem(400, "session_id is missing; send the one that POST /chat gave you.")
    return user_id(body.get("user_id")), session_id


def user_id(value: Any) -> str:
    """Return `value` when it is a user_id. Raises Problem 400 with a sentence."""
    if value is None:
        raise Problem(400, "user_id is missing; say who is asking.")
    if not isinstance(value, str):
        raise Problem(400, "user_id must be a string.")
    is_plain = all(is_readable(character) and not character.isspace() for character in value)
    if len(value) > MAXIMUM_USER_ID or not is_plain or not is_visible(value):
        raise Problem(400, f"user_id must be 1 to {MAXIMUM_USER_ID} visible characters.")
    return value


def _message(body: Mapping[str, Any]) -> str:
    message = body.get("message")
    if message is None:
        raise Problem(400, "message is missing; say what you want to ask.")
    if not isinstance(message, str):
        raise Problem(400, "message must be a string.")
    text = message.strip()
    if not is_visible(text):
        raise Problem(400, "message is empty; say what you want to ask.")
    if len(text) > MAXIMUM_MESSAGE:
        raise Problem(400, f"message is too long; use at most {MAXIMUM_MESSAGE} characters.")
    return text


def _session_id(body: Mapping[str, Any]) -> str | None:
    session_id = body.get("session_id")
    if session_id is not None and not (isinstance(session_id, str) and _SESSION_ID.fullmatch(session_id)):
        raise Problem(400, "session_id must be one that POST /chat gave you, or left out to begin a conversation.")
    return session_id


def _only(body: Mapping[str, Any], *names: str) -> None:
    # Not the name that was sent: it may be anything.
    if any(name not in names for name in body):
        raise Problem(400, f"The body has a field that is not known; the fields are {', '.join(names)}.")
