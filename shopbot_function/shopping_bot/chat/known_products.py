"""The products that may be shown: those that a search of this conversation returned, with live stock.

Claude names SKUs. Everything else that a customer sees of a product comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search.product_search import INVENTORY

_NONE_LEFT = StockEntry(0, None)


class KnownProducts:
    """The products of earlier turns by SKU, and those that `put` adds in this one."""

    def __init__(self, earlier: Mapping[str, Any], inventory: Inventory, deadline: Deadline) -> None:
        self._earlier = dict(earlier)
        self._inventory = inventory
        self._deadline = deadline
        self.found: dict[str, Any] = {}

    def put(self, products: Mapping[str, Any]) -> None:
        """Add what a search just returned."""
        self.found |= products

    def has(self, sku: str) -> bool:
        """Tell whether a search returned `sku`."""
        return sku in self.found or sku in self._earlier

    def named_in(self, text: str) -> list[str]:
        """Return the SKUs of this turn's products that `text` names, by SKU or by name."""
        return [sku for sku, product in self.found.items() if sku in text or str(product["name"]) in text]

    def products(self) -> list[Mapping[str, Any]]:
        """Return everything that is known."""
        return list((self._earlier | self.found).values())

    def show(self, skus: Sequence[str]) -> list[dict[str, Any]]:
        """Return the products of `skus`, in that order and each once, as they are now; unknown ones are left out.

        Products of this turn's searches are live already; older ones are looked up again. Without an answer of the
        inventory their stock is None, and the answer counts as degraded.
        """
        wanted = [sku for sku in dict.fromkeys(skus) if self.has(sku)]
        older = [sku for sku in wanted if sku not in self.found]
        current = self._current(older) if older else {}
        return [dict(current.get(sku) or self.found[sku]) for sku in wanted]

    def _current(self, skus: Sequence[str]) -> dict[str, dict[str, Any]]:
        try:
            entries = self._inventory.quantities(skus, self._deadline)
        except BackingServiceError:
            request_metrics.current().degraded.add(INVENTORY)
            return {sku: {**self._earlier[sku], "in_stock": None, "stock": None} for sku in skus}
        current = {}
        for sku in skus:
            entry = entries.get(sku, _NONE_LEFT)
            current[sku] = {**self._earlier[sku], "in_stock": entry.in_stock, "stock": entry.qty}
            if entry.price is not None:
                current[sku]["price"] = entry.price
        return current
