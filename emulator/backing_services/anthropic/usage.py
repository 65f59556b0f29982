"""Tokens of a request, and which of them a prompt cache holds.

Source: Claude Platform documentation, "Prompt caching". Simplified:

* a token is four bytes of UTF-8, so counts are of the right size but not those of the real tokenizer;
* the shortest prefix that is cached is 512 or 1 024 tokens (the real ones have 512 to 4 096);
* a thinking block that comes back is counted by its size, although the real one holds more than is shown;
* a cached prefix is found at any block before a breakpoint that an earlier request wrote, not only twenty blocks back.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.anthropic.capabilities import capabilities

_BYTES_PER_TOKEN: Final = 4
_MESSAGE_OVERHEAD: Final = 4
_TTL_SECONDS: Final = {"5m": 300.0, "1h": 3600.0}
_MAXIMUM_ENTRIES: Final = 10_000


def tokens(text: str) -> int:
    """Return how many tokens `text` is counted as."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


def input_tokens(request: Mapping[str, Any]) -> int:
    """Return the tokens of everything that the model reads: tools, system prompt, messages."""
    return sum(part.tokens for part in _parts(request))


@dataclass(frozen=True)
class InputUsage:
    """Input tokens, each counted once."""

    uncached: int
    written: Mapping[str, int]
    """Tokens written to the cache, by time to live."""
    read: int

    def fields(self, output_tokens: int, thinking_tokens: int = 0) -> dict[str, Any]:
        """Return the `usage` object of a message; the `output_tokens` include the `thinking_tokens`."""
        return {
            "input_tokens": self.uncached,
            "cache_creation_input_tokens": sum(self.written.values()),
            "cache_read_input_tokens": self.read,
            "cache_creation": {f"ephemeral_{ttl}_input_tokens": self.written.get(ttl, 0) for ttl in _TTL_SECONDS},
            "output_tokens": output_tokens,
            "output_tokens_details": {"thinking_tokens": thinking_tokens},
            "service_tier": "standard",
        }


@dataclass(frozen=True)
class _Part:
    """One block of a prompt, in the order tools, system, messages."""

    text: str
    tokens: int
    ttl: str | None
    """Set where the request puts a breakpoint behind the block."""


class PromptCache:
    """The prefixes that earlier requests asked to keep, per key and model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expiry: dict[str, tuple[float, float]] = {}

    def account(self, request: Mapping[str, Any], key: str) -> InputUsage:
        """Return the usage of `request` and keep the prefixes that it marks."""
        now = self._clock()
        digest = hashlib.sha256(f"{key}\0{request['model']}".encode())
        total, read = 0, 0
        written: dict[str, int] = {}
        marked: list[tuple[str, int, str]] = []
        parts = list(_parts(request))
        shortest = capabilities(request["model"]).shortest_cached_tokens
        last_mark = max((number for number, part in enumerate(parts) if part.ttl), default=-1)
        for number, part in enumerate(parts):
            digest.update(part.text.encode("utf-8", "surrogatepass") + b"\0")
            total += part.tokens
            if number > last_mark:
                continue
            name = digest.hexdigest()
            expiry, ttl_seconds = self._expiry.get(name, (0.0, 0.0))
            if expiry > now:
                read = total
                self._expiry[name] = (now + ttl_seconds, ttl_seconds)  # a hit renews it
            if part.ttl and total >= shortest:
                marked.append((name, total, part.ttl))
        counted = read
        for name, prefix, ttl in marked:
            self._keep(name, now, _TTL_SECONDS[ttl])
            if prefix > counted:
                written[ttl] = written.get(ttl, 0) + prefix - counted
                counted = prefix
        return InputUsage(uncached=total - counted, written=written, read=read)

    def _keep(self, name: str, now: float, ttl_seconds: float) -> None:
        if len(self._expiry) >= _MAXIMUM_ENTRIES:
            self._expiry = {name: entry for name, entry in self._expiry.items() if entry[0] > now}
        if len(self._expiry) < _MAXIMUM_ENTRIES:
            self._expiry[name] = (now + ttl_seconds, ttl_seconds)


def _parts(request: Mapping[str, Any]) -> Iterator[_Part]:
    automatic = request.get("cache_control")
    for tool in request.get("tools", []):
        yield _part(tool)
    system = request.get("system")
    for block in as_blocks(system) if system else []:
        yield _part(block)
    for place, message in enumerate(request["messages"]):
        blocks = as_blocks(message["content"])
        for number, block in enumerate(blocks):
            is_last = place == len(request["messages"]) - 1 and number == len(blocks) - 1
            yield _part(block, role=message["role"], control=automatic if is_last else None)


def _part(block: Mapping[str, Any], *, role: str = "", control: Mapping[str, Any] | None = None) -> _Part:
    control = block.get("cache_control") or control
    text = json.dumps(
        {name: value for name, value in block.items() if name != "cache_control"}, sort_keys=True, ensure_ascii=False
    )
    plain = block["text"] if block.get("type") == "text" else text
    return _Part(role + text, tokens(plain) + _MESSAGE_OVERHEAD, control.get("ttl", "5m") if control else None)


def as_blocks(content: Any) -> list[Mapping[str, Any]]:
    """Return the blocks of a message's content or a system prompt, which may be a string."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
