"""A model that errs, for tests of what stands between it and a customer.

An API key chooses it (`misbehave:looping`), never what a customer says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.anthropic.errors import invalid
from emulator.backing_services.anthropic.message import Reply, ToolCall
from emulator.backing_services.anthropic.model import SEARCH

LOOPING: Final = "looping"
"""Searches again and again and never answers."""
TRUNCATED: Final = "truncated"
"""Stops with stop_reason max_tokens when it has only thought."""
_MARKER: Final = re.compile(r"misbehave:([a-z-]*)")


def chosen_fault(key: str) -> str | None:
    """Return the fault that `key` asks for. Raises ApiError 400 for one that does not exist."""
    marker = _MARKER.search(key)
    if marker is None:
        return None
    if marker[1] not in (LOOPING, TRUNCATED):
        raise invalid(f"misbehave: the fake knows {LOOPING} and {TRUNCATED}, not '{marker[1]}'")
    return marker[1]


def apply_fault(name: str | None, request: Mapping[str, Any], sensible: Reply) -> tuple[Mapping[str, Any], Reply]:
    """Return request and reply as a model with this fault takes and makes them."""
    if name == TRUNCATED:
        return {**request, "max_tokens": 1}, sensible
    if name == LOOPING and any(tool["name"] == SEARCH for tool in request.get("tools", [])):
        return request, [ToolCall(SEARCH, {"query": "chips"})]
    return request, sensible
