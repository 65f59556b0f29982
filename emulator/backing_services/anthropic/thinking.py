"""Thinking blocks: a signature, and whether a block comes back as it went and where it was thought.

Source: Claude Platform documentation, "Thinking" (Preserving thinking blocks, Controlling thinking display) and "Prefix
checks on thinking blocks"; anthropic 2.12.0, `types/thinking_block.py`.

Simplified: a signature is no ciphertext but a digest of everything before the block, under a constant key, so that the
same request gets the same response in every process. The API would also take a conversation whose oldest blocks of
thinking were left out, and drop those of another model.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.anthropic.errors import invalid

_KEY: Final = b"the fake's own"
_BYTES: Final = 32


def thinking_block(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the block that stands before the reply to `request`. Its text is omitted, as it is by default."""
    prefix = _Prefix(request)
    for message in request["messages"]:
        prefix.add(message)
    return {"type": "thinking", "thinking": "", "signature": prefix.signature({"thinking": ""})}


def check_thinking(request: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a block of thinking that was altered, or that stands behind something else than it did."""
    prefix = _Prefix(request)
    for number, message in enumerate(request["messages"]):
        for place, block in enumerate(message["content"] if isinstance(message["content"], list) else []):
            # What the API sent is one message: nothing of it stands before its thinking.
            if block["type"] == "thinking" and block["signature"] != prefix.signature(block):
                raise invalid(
                    f"messages.{number}.content.{place}: Invalid `signature` in `thinking` block{_why(block)}"
                )
        prefix.add(message)


def _why(block: Mapping[str, Any]) -> str:
    try:
        is_signature = len(base64.b64decode(block["signature"], validate=True)) == _BYTES
    except (binascii.Error, ValueError):
        is_signature = False
    if not is_signature:
        return ""
    return (
        ". The block is bound to a different conversation. Remove the block, or set "
        '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the '
        "`thinking-binding-controls-2026-08-01` value in the `anthropic-beta` header."
    )


class _Prefix:
    """A digest of model, tools, system prompt and messages as far as they were added."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._digest = hashlib.sha256()
        self.add([request["model"], request.get("tools"), request.get("system")])

    def add(self, part: Any) -> None:
        self._digest.update(json.dumps(_without_marks(part), sort_keys=True).encode() + b"\0")

    def signature(self, block: Mapping[str, Any]) -> str:
        digest = self._digest.digest() + block["thinking"].encode()
        return base64.b64encode(hmac.digest(_KEY, digest, "sha256")).decode()


def _without_marks(part: Any) -> Any:
    """Return `part` without `cache_control`: moving the marks of the prompt cache changes nothing."""
    if isinstance(part, dict):
        return {name: _without_marks(value) for name, value in part.items() if name != "cache_control"}
    return [_without_marks(member) for member in part] if isinstance(part, list) else part
