"""A message as server-sent events.

Source: Claude Platform documentation, "Streaming messages" (Event types); anthropic 2.12.0, `_streaming.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Event = tuple[str, dict[str, Any]]
_PIECE: Final = 24
"""Characters in one delta."""


def events(message: Mapping[str, Any]) -> Iterator[Event]:
    """Return the events of `message`, each as its name and its data."""
    usage = message["usage"]
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1},
    }
    yield _event("message_start", message=opening)
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    yield _event(
        "message_delta",
        delta={name: message.get(name) for name in ("stop_reason", "stop_sequence", "stop_details") if name in message},
        usage={
            name: usage[name]
            for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        },
    )
    yield _event("message_stop")


def encode(event: Event) -> bytes:
    """Return an event as it is on the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[Event]:
    is_call = block["type"] == "tool_use"
    yield _event(
        "content_block_start", index=index, content_block={**block, **({"input": {}} if is_call else {"text": ""})}
    )
    if index == 0:
        yield _event("ping")
    if is_call:
        for piece in ["", *_pieces(json.dumps(block["input"], ensure_ascii=False))]:
            yield _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece})
    else:
        for piece in _pieces(block["text"]):
            yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
    yield _event("content_block_stop", index=index)


def _event(name: str, **data: Any) -> Event:
    return name, {"type": name, **data}


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
