"""What a model says: words and tool calls, before they become a message on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """A call of one of the request's tools."""

    name: str
    input: Mapping[str, Any]


Reply = Sequence[Text | ToolCall]
