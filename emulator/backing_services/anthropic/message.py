"""A reply of the model, and the `message` object that it becomes.

Ids are made from the request, so the same conversation gets the same message.
Source: Claude Platform documentation, "Create a Message" (Returns) and "Thinking" (How thinking works: it comes first
and counts towards `max_tokens`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.anthropic.prompt_cache import tokens
from emulator.backing_services.anthropic.rules import MODELS
from emulator.backing_services.anthropic.thinking import thinking_block

_THINKING_TOKENS: Final = {"low": 20, "medium": 40, "high": 80, "xhigh": 160, "max": 320}
_DEFAULT_EFFORT: Final = "high"
_TOOL_CALL_TOKENS: Final = 20


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


def message(request: Mapping[str, Any], reply: Reply, input_usage: Mapping[str, int]) -> dict[str, Any]:
    """Return `reply`, behind its thinking. Nothing but thinking is left of what is longer than `max_tokens`."""
    seed = json.dumps([request["model"], request["messages"]], sort_keys=True)
    thoughts, used = [], 0
    if MODELS[request["model"]].thinks:
        effort = (request.get("output_config") or {}).get("effort") or _DEFAULT_EFFORT
        thoughts, used = [thinking_block(request)], _THINKING_TOKENS[effort]
    content = [_block(part, f"{seed}{number}") for number, part in enumerate(reply)]
    stop_reason = "tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn"
    used += sum(_output_tokens(block) for block in content)
    if used > request["max_tokens"]:
        content, used, stop_reason = [], request["max_tokens"], "max_tokens"
    return {
        "id": identifier("msg_01", seed),
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [*thoughts, *content],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {**input_usage, "output_tokens": used},
    }


def identifier(prefix: str, seed: str) -> str:
    """Return an id that looks like those of the API and follows from `seed`."""
    return prefix + hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:22]


def _block(part: Text | ToolCall, seed: str) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "tool_use", "id": identifier("toolu_01", seed), "name": part.name, "input": dict(part.input)}


def _output_tokens(block: Mapping[str, Any]) -> int:
    if block["type"] == "text":
        return tokens(block["text"])
    return tokens(json.dumps(block["input"], ensure_ascii=False)) + _TOOL_CALL_TOKENS
