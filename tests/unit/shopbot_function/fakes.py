"""Fakes for the backing services of the bot: scripted, and without any network."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.completion import Completion
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.chat.conversations import Begun
from shopping_bot.chat.session import SessionIds
from shopping_bot.deadline import Deadline
from shopping_bot.search.product_search import ProductSearch

from lambda_http.json_secret import JsonSecret


def product(sku: str, price: str = "85.00", stock: int = 5, **more: Any) -> dict[str, Any]:
    return {
        "sku": sku,
        "name": f"Product {sku}",
        "brand": "Tarangi",
        "category": "chips",
        "price": Decimal(price),
        "in_stock": stock > 0,
        "stock": stock,
        **more,
    }


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def tool_use(name: str, given: Any, identifier: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": name, "input": given}


def thinking(signature: str, thought: str = "") -> dict[str, Any]:
    return {"type": "thinking", "thinking": thought, "signature": signature}


class ScriptedClaude:
    """Says what the script holds, one item a call: blocks or a whole completion; an exception in it is raised."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []

    def complete(self, **request: Any) -> Completion:
        self.requests.append(copy.deepcopy({name: request[name] for name in ("system", "tools", "messages")}))
        said = self.script.pop(0)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Completion):
            return said
        blocks = said if isinstance(said, list) else [said]
        return Completion(blocks, "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn")


class FakeSearch(ProductSearch):
    """Finds the same products whatever is asked."""

    def __init__(self, *products: Mapping[str, Any], error: Exception | None = None) -> None:
        self.products = list(products)
        self.error = error
        self.asked: list[Mapping[str, Any]] = []
        self.threads: set[int] = set()
        self.gate: threading.Barrier | None = None

    def search(self, arguments: Mapping[str, Any], *, deadline: Deadline) -> dict[str, Any]:
        self.asked.append(arguments)
        self.threads.add(threading.get_ident())
        if self.gate:
            self.gate.wait(5)
        if self.error:
            raise self.error
        found = [dict(product) for product in self.products]
        return {"products": found, "total_hits": len(found), "returned": len(found), "relaxed": [], "degraded": []}


class FakeInventory(Inventory):
    """Knows quantities by SKU; `down` makes it fail."""

    def __init__(self, quantities: Mapping[str, int] | None = None, price: Decimal | None = None) -> None:
        super().__init__("table")
        self.known = dict(quantities or {})
        self.price = price
        self.down = False
        self.reads: list[Sequence[str]] = []

    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        self.reads.append(list(skus))
        if self.down:
            raise BackingServiceError("dynamodb", "ThrottlingException")
        return {sku: StockEntry(self.known[sku], self.price) for sku in skus if sku in self.known}


class FakeConversations:
    """Keeps conversations in memory; `down` makes every method fail."""

    call_seconds = 2.5

    def __init__(self) -> None:
        self.kept: dict[str, list[dict[str, Any]]] = {}
        self.locks: dict[str, str] = {}
        self.down = False

    def begin(self, session_id: str, entry: Mapping[str, Any], deadline: Deadline) -> Begun:
        self._check()
        self.kept.setdefault(session_id, []).append(dict(entry))
        token = None if session_id in self.locks else self.locks.setdefault(session_id, entry["id"])
        return Begun(token, copy.deepcopy(self.kept[session_id]))

    @contextlib.contextmanager
    def lease(self, session_id: str, token: str, deadline: Deadline) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.locks.pop(session_id, None)
            raise

    def finish(
        self, session_id: str, token: str, asked: Mapping[str, Any], answer: Mapping[str, Any], deadline: Deadline
    ) -> bool:
        self._check()
        self.locks.pop(session_id, None)
        if dict(asked) not in self.kept.get(session_id, []):
            return False
        self.kept[session_id].append(dict(answer))
        return True

    def entries(self, session_id: str, deadline: Deadline) -> list[dict[str, Any]]:
        self._check()
        return self.kept.get(session_id, [])

    def forget(self, session_id: str, deadline: Deadline) -> bool:
        self._check()
        self.locks.pop(session_id, None)
        return self.kept.pop(session_id, None) is not None

    def _check(self) -> None:
        if self.down:
            raise BackingServiceError("redis", "ConnectionError")


def session_ids(key: str = "key", previous: str = "") -> SessionIds:
    """Return the session ids of a secret with `key`, whose version before had `previous`."""
    return SessionIds(
        JsonSecret(lambda: {"SESSION_KEY": key}, print),
        JsonSecret(lambda: {"SESSION_KEY": previous}, print),
    )


def ticking(*times: float) -> Callable[[], float]:
    """Return a clock that shows `times` one after the other, the last for ever."""
    left = list(times)
    return lambda: left.pop(0) if len(left) > 1 else left[0]
