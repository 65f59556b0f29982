"""The sensible model: from a request to a reply, without a clock, a random number or a memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.anthropic.reply import Reply, Text


def answer(request: Mapping[str, Any]) -> Reply:  # noqa: ARG001
    """Return what the model says next in the conversation of `request`."""
    return [Text("Hello!")]
