"""A reply as the `message` object of the Messages API.

Ids are made from the request, so the same conversation gives the same answer.
Source: Claude Platform documentation, "Create a Message" (Returns), "Thinking" (How thinking works: it comes first and
counts towards `max_tokens`); anthropic 2.12.0, `types/message.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.backing_services.anthropic.reply import Reply, Text
from emulator.backing_services.anthropic.thinking import think
from emulator.backing_services.anthropic.usage import InputUsage, tokens

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_TOOL_CALL_OVERHEAD_TOKENS: Final = 20


def message(request: Mapping[str, Any], reply: Reply, usage: InputUsage) -> dict[str, Any]:
    """Return `reply`, behind its thinking, cut at the request's stop sequences and `max_tokens`."""
    seed = json.dumps([request["model"], request["messages"]], sort_keys=True)
    left = request["max_tokens"]
    thought = think(request, reply) if left else None
    thinking_tokens = min(thought.tokens, left) if thought else 0
    content: list[dict[str, Any]] = []
    stop_reason, stop_sequence = "max_tokens", None
    if not thinking_tokens or thinking_tokens < left:
        content, stop_reason, stop_sequence = _content(
            reply, seed, request.get("stop_sequences", []), left - thinking_tokens
        )
    output_tokens = thinking_tokens + sum(_output_tokens(block) for block in content)
    return {
        "id": identifier("msg_01", seed),
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [*([dict(thought.block)] if thought else []), *content],
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage.fields(output_tokens or 1, thinking_tokens),
    }


def identifier(prefix: str, seed: str) -> str:
    """Return an id that looks like those of the API and follows from `seed`."""
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:17])
    letters = ""
    for _ in range(22):
        number, rest = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[rest]
    return prefix + letters


def _content(
    reply: Reply, seed: str, stop_sequences: Sequence[str], limit: int
) -> tuple[list[dict[str, Any]], str, str | None]:
    content: list[dict[str, Any]] = []
    left = limit
    for number, part in enumerate(reply):
        if isinstance(part, Text):
            text, stop = _until(part.text, stop_sequences)
            fitting = text.encode()[: left * 4].decode(errors="ignore")
            if fitting:
                content.append({"type": "text", "text": fitting})
            if fitting != text:
                return content, "max_tokens", None
            if stop is not None:
                return content, "stop_sequence", stop
        else:
            call_id = identifier("toolu_01", f"{seed}{number}")
            content.append({"type": "tool_use", "id": call_id, "name": part.name, "input": dict(part.input)})
        left -= _output_tokens(content[-1]) if content else 0
        if left < 0:  # a call that is cut short has no input that could be used
            return content[:-1], "max_tokens", None
    called = any(block["type"] == "tool_use" for block in content)
    return content, "tool_use" if called else "end_turn", None


def _until(text: str, stop_sequences: Sequence[str]) -> tuple[str, str | None]:
    """Return the text before the first stop sequence in it, and which one that is."""
    found = [(text.index(sequence), sequence) for sequence in stop_sequences if sequence in text]
    if not found:
        return text, None
    place, sequence = min(found)
    return text[:place], sequence


def _output_tokens(block: Mapping[str, Any]) -> int:
    if block["type"] == "text":
        return tokens(block["text"])
    return tokens(json.dumps(block["input"], ensure_ascii=False)) + _TOOL_CALL_OVERHEAD_TOKENS
