"""The engine's own failures."""

from __future__ import annotations


class EngineError(Exception):
    """The engine cannot start or cannot serve a request; the message is one sentence that says what to do."""
