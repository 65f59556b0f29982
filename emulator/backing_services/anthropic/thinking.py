"""Thinking blocks: what the fake says that it thought, how it is signed, and whether it comes back as it went.

Source: Claude Platform documentation, "Thinking" (Preserving thinking blocks, Controlling thinking display), "Prefix
checks on thinking blocks" and "What's new in Claude Fable 5.1" (Editing earlier turns invalidates thinking blocks: the
oldest blocks may be left out and cache marks moved); anthropic 2.12.0, `types/thinking_block.py`.

Simplified: a signature is no ciphertext but three digests, keyed by a constant so that the same request gives the same
answer in every process; the amount of thinking depends on the effort alone; blocks of other models are ignored, as the
API drops those that a model cannot read; every account is one for which the check is enforced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.anthropic.capabilities import capabilities
from emulator.backing_services.anthropic.errors import ApiError, invalid
from emulator.backing_services.anthropic.reply import Reply, ToolCall
from emulator.backing_services.anthropic.usage import as_blocks, tokens

TOKENS: Final = {"low": 20, "medium": 40, "high": 80, "xhigh": 160, "max": 320}
_KEY: Final = b"the fake's own"
_FIRST: Final = "-"


@dataclass(frozen=True)
class Thought:
    """A thinking block and the output tokens that it took."""

    block: Mapping[str, Any]
    tokens: int


def think(request: Mapping[str, Any], reply: Reply) -> Thought | None:
    """Return what stands before `reply`; None when the request turns thinking off.

    With `between_tools` there is a note only, after a tool has answered and before the next is called.
    """
    model = capabilities(request["model"])
    config = request.get("thinking") or {"type": "adaptive" if model.thinks_by_default else "disabled"}
    calls = [part.name for part in reply if isinstance(part, ToolCall)]
    words = f"Next I call {', '.join(calls)}." if calls else "I can answer this now."
    if config["type"] == "disabled" or (config["type"] == "between_tools" and not (calls and _is_in_loop(request))):
        return None
    default = "summarized" if model.shows_thinking or config["type"] == "between_tools" else "omitted"
    shown = words if (config.get("display") or default) == "summarized" else ""
    effort = (request.get("output_config") or {}).get("effort") or model.default_effort or "high"
    *_, (_, _, _, prefix) = _walk(request)
    block = {"type": "thinking", "thinking": shown, "signature": prefix.signature(request["model"], shown)}
    return Thought(block, tokens(words) if config["type"] == "between_tools" else TOKENS[effort])


def check_thinking_blocks(request: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for a block of thinking that was altered, or whose prefix was."""
    model = request["model"]
    for number, place, block, prefix in _walk(request):
        where = f"messages.{number}.content.{place}"
        if block.get("type") == "redacted_thinking":
            raise invalid(f"{where}: Invalid `data` in `redacted_thinking` block")
        if block.get("type") == "thinking":
            claims = _claims(block)
            if claims is None:
                raise invalid(f"{where}: Invalid `signature` in `thinking` block")
            is_bound = capabilities(model).checks_prefix and claims["model"] == model
            if is_bound and not prefix.leads_to(claims):
                raise _bound_elsewhere(where)


def _bound_elsewhere(where: str) -> ApiError:
    return invalid(
        f"{where}: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the "
        'block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the '
        "`thinking-binding-controls-2026-08-01` value in the `anthropic-beta` header."
    )


class _Prefix:
    """What stands before a block: a digest of all but thinking, and the last block of thinking."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._digest = hashlib.sha256()
        self._last: str | None = None
        for part in (*request.get("tools", []), "system", *as_blocks(request.get("system") or [])):
            self._add(part)

    def begin(self, message: Mapping[str, Any]) -> None:
        self._add(message["role"])

    def add(self, block: Mapping[str, Any]) -> None:
        if block["type"] == "thinking":
            self._last = _short(block["signature"].encode())
        else:
            self._add(block)

    def signature(self, model: str, shown: str) -> str:
        claims = {"model": model, "prefix": self._digest.hexdigest()[:32], "after": self._last or _FIRST}
        text = json.dumps({**claims, "seal": _seal(claims, shown)})
        return base64.b64encode(text.encode()).decode()

    def leads_to(self, claims: Mapping[str, str]) -> bool:
        """Tell whether a block with `claims` was thought here; the oldest ones may have been left out since."""
        return claims["prefix"] == self._digest.hexdigest()[:32] and self._last in (None, claims["after"])

    def _add(self, part: Any) -> None:
        if isinstance(part, dict):
            part = {name: value for name, value in part.items() if name != "cache_control"}
        self._digest.update(json.dumps(part, sort_keys=True).encode() + b"\0")


def _walk(request: Mapping[str, Any]) -> Iterator[tuple[int, int, Mapping[str, Any], _Prefix]]:
    """Yield each block with its place and its prefix, and last an empty one that begins the next message."""
    prefix = _Prefix(request)
    for number, message in enumerate(request["messages"]):
        prefix.begin(message)
        for place, block in enumerate(as_blocks(message["content"])):
            yield number, place, block, prefix
            prefix.add(block)
    prefix.begin({"role": "assistant"})
    yield len(request["messages"]), 0, {}, prefix


def _claims(block: Mapping[str, Any]) -> dict[str, str] | None:
    """Return what the signature of `block` says; None when it was not made for this block here."""
    try:
        claims: dict[str, str] = json.loads(base64.b64decode(block["signature"], validate=True))
        seal = claims.pop("seal")
        is_whole = set(claims) == {"model", "prefix", "after"} and hmac.compare_digest(
            seal, _seal(claims, block["thinking"])
        )
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    return claims if is_whole else None


def _seal(claims: Mapping[str, str], shown: str) -> str:
    text = json.dumps([claims["model"], claims["prefix"], claims["after"], shown])
    return hmac.new(_KEY, text.encode(), "sha256").hexdigest()[:32]


def _short(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()[:16]


def _is_in_loop(request: Mapping[str, Any]) -> bool:
    return any(block["type"] == "tool_result" for block in as_blocks(request["messages"][-1]["content"]))
