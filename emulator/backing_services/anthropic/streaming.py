"""A message as server-sent events.

Source: Claude Platform documentation, "Streaming messages" (Event types, Content block delta types); anthropic 2.12.0,
`_streaming.py`, `types/thinking_delta.py` and `types/signature_delta.py`. Thinking that is not shown has no
`thinking_delta`, only its `signature_delta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Event = tuple[str, dict[str, Any]]
_PIECE: Final = 24
"""Characters in one delta."""
_FINAL_USAGE: Final = (
    *("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"),
    *("output_tokens", "output_tokens_details"),
)
_EMPTY: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"text": ""},
    "tool_use": {"input": {}},
    "thinking": {"thinking": "", "signature": ""},
}


def events(message: Mapping[str, Any]) -> Iterator[Event]:
    """Return the events of `message`, each as its name and its data."""
    usage = message["usage"]
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}},
    }
    yield _event("message_start", message=opening)
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
    yield _event(
        "message_delta",
        delta={name: message.get(name) for name in ("stop_reason", "stop_sequence", "stop_details") if name in message},
        usage={name: usage[name] for name in _FINAL_USAGE},
    )
    yield _event("message_stop")


def encode(event: Event) -> bytes:
    """Return an event as it is on the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[Event]:
    yield _event("content_block_start", index=index, content_block={**block, **_EMPTY[block["type"]]})
    if index == 0:
        yield _event("ping")
    for delta in _deltas(block):
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "tool_use":
        for piece in ["", *_pieces(json.dumps(block["input"], ensure_ascii=False))]:
            yield {"type": "input_json_delta", "partial_json": piece}
    elif block["type"] == "thinking":
        for piece in _pieces(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        for piece in _pieces(block["text"]):
            yield {"type": "text_delta", "text": piece}


def _event(name: str, **data: Any) -> Event:
    return name, {"type": name, **data}


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]
