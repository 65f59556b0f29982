"""Tokens of a request, and which of them a prompt cache holds.

Source: Claude Platform documentation, "Prompt caching". Simplified: a token is four bytes of UTF-8, so counts are of
the right size but not those of the real tokenizer; every mark lives for five minutes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_BYTES_PER_TOKEN: Final = 4
_SHORTEST_TOKENS: Final = 512
_SECONDS: Final = 300.0


def tokens(text: str) -> int:
    """Return how many tokens `text` is counted as."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


class PromptCache:
    """The prefixes that earlier requests marked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expiry: dict[str, float] = {}

    def account(self, request: Mapping[str, Any]) -> dict[str, int]:
        """Return the input tokens of `request` for its `usage`, each counted once, and keep the prefixes it marks."""
        now = self._clock()
        self._expiry = {name: expiry for name, expiry in self._expiry.items() if expiry > now}
        digest = hashlib.sha256(request["model"].encode())
        total = read = kept = 0
        for part in _parts(request):
            text = json.dumps({name: part[name] for name in part if name != "cache_control"}, sort_keys=True)
            digest.update(text.encode())
            total += tokens(text)
            if part.get("cache_control") and total >= _SHORTEST_TOKENS:
                kept = total
                read = total if digest.hexdigest() in self._expiry else read
                self._expiry[digest.hexdigest()] = now + _SECONDS  # a hit renews it
        return {
            "input_tokens": total - kept,
            "cache_creation_input_tokens": kept - read,
            "cache_read_input_tokens": read,
        }


def _parts(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the blocks of a prompt in the order tools, system, messages."""
    yield from request.get("tools", [])
    for role, content in (
        ("system", request.get("system") or []),
        *((message["role"], message["content"]) for message in request["messages"]),
    ):
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield {"role": role, **block}
