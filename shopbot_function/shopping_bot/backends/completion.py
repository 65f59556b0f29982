"""One message of Claude: what can be used of it, and what goes back to Claude within the turn.

Source: Claude Platform documentation, "Create a Message" (Returns), "Thinking" (Preserving thinking blocks) and "Stop
reasons and fallback".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

# What ends a message that says all it wanted to say.
_ENDINGS = ("end_turn", "stop_sequence", "tool_use", "refusal")
# What makes a block of thinking valid; without it the API would refuse the block.
_SEALS = {"thinking": "signature", "redacted_thinking": "data"}
_LIMITS = ("max_tokens", "model_context_window_exceeded")


@dataclass(frozen=True)
class Completion:
    """One message of Claude: its content blocks, as they go back to it within the turn, and why it stopped.

    Text and tool_use blocks are well formed; thinking and what is not known here are as received, in their order.
    """

    content: list[dict[str, Any]]
    stop_reason: str

    @property
    def is_refusal(self) -> bool:
        """Whether Claude declined; there is no content then."""
        return self.stop_reason == "refusal"

    @property
    def is_unfinished(self) -> bool:
        """Whether Claude stopped before it had said all, at a limit or for a reason that is not known here."""
        return self.stop_reason not in _ENDINGS

    @property
    def is_last_call_cut(self) -> bool:
        """Whether a limit was reached within the last tool call, whose input may then be half of what was meant."""
        return self.stop_reason in _LIMITS and bool(self.content) and self.content[-1]["type"] == "tool_use"

    @property
    def text(self) -> str:
        """The text of all blocks."""
        return "\n".join(block["text"] for block in self.content if block["type"] == "text").strip()

    @property
    def tool_uses(self) -> list[dict[str, Any]]:
        """The tool calls that Claude asks for."""
        return [block for block in self.content if block["type"] == "tool_use"]

    @classmethod
    def from_message(cls, message: Any) -> Self | None:
        """Return what can be used of `message`, a body of the API; None when it is no message."""
        if not isinstance(message, dict) or not isinstance(message.get("content"), list):
            return None
        stop_reason = message.get("stop_reason")
        if not isinstance(stop_reason, str):
            stop_reason = "end_turn"
        # What precedes a refusal is half an answer, not to be used ("Refusals and fallback").
        given = [] if stop_reason == "refusal" else message["content"]
        blocks = [_block(block) for block in given if isinstance(block, dict)]
        return cls([block for block in blocks if block is not None], stop_reason)


def _block(block: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return `block` as it can come back to Claude; None when it would be refused then."""
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        return _whole(dict(block)) if isinstance(text, str) and text.strip() else None
    if kind == "tool_use":
        if not isinstance(block.get("id"), str) or not isinstance(block.get("name"), str):
            return None
        given = block.get("input")
        # Anything but an object would be refused; the tool's schema tells Claude what is missing.
        return {**_whole(dict(block)), "input": _whole(given) if isinstance(given, dict) else {}}
    if not isinstance(kind, str) or (kind in _SEALS and not isinstance(block.get(_SEALS[kind]), str)):
        return None
    # Thinking is bound to its signature, and what is not known here is Claude's own: neither is touched.
    return dict(block)


def _whole(value: Any) -> Any:
    """Return `value` with replacement characters for half surrogate pairs, which no UTF-8 can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(member) for name, member in value.items()}
    return value
