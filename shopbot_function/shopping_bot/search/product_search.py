"""Searching for products: what was asked, the catalogue, and what the inventory says of each product right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambda_http.text import words
from shopping_bot import json_schema
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.elasticsearch import BACKING_SERVICE as ELASTICSEARCH
from shopping_bot.backends.elasticsearch import ProductIndex
from shopping_bot.backends.inventory import MAXIMUM_KEYS, Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search import query
from shopping_bot.search.query import Search

INVENTORY = "inventory"
_MAXIMUM_PRICE = 10_000_000
_NONE_LEFT = StockEntry(0, None)
_UNKNOWN = StockEntry(None, None)


def _texts(maximum_items: int, description: str) -> dict[str, Any]:
    item = {"type": "string", "minLength": 1, "maxLength": 64}
    return {"type": "array", "items": item, "maxItems": maximum_items, "description": description}


def _price(description: str) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "maximum": _MAXIMUM_PRICE, "description": description}


SEARCH_INPUT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "query": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "The product in the customer's words, such as “dark chocolate”, “Tarangi chips”.",
        },
        "category": {
            "type": "string",
            "minLength": 1,
            "maxLength": 64,
            "description": "Exactly one category, as an earlier result names it.",
        },
        "price_min": _price("Rupees."),
        "price_max": _price("Rupees."),
        "dietary_terms": _texts(
            10, "Claims that must all hold, such as vegan, jain, gluten-free, no-palm-oil, organic."
        ),
        "avoid_ingredients": _texts(20, "Ingredients that must not be in it, such as peanut or palm oil."),
        "brands": _texts(10, "Any of these brands."),
        "in_stock_only": {"type": "boolean", "description": "Leave out what is out of stock."},
        "size": {
            "type": "integer",
            "minimum": 1,
            "maximum": query.MAXIMUM_SIZE,
            "default": query.DEFAULT_SIZE,
            "description": "At most this many products.",
        },
    },
    "required": ["query"],
    "additionalProperties": False,
}


class InvalidSearchError(Exception):
    """The arguments cannot be searched with; the message is a sentence for whoever sent them."""


@dataclass
class _Page:
    """What one query found: the products to show, how many match in all, and who did not answer in full."""

    products: list[dict[str, Any]]
    total: int
    degraded: set[str]


class ProductSearch:
    """Products from `index`, with stock and price from `inventory`."""

    def __init__(self, index: ProductIndex, inventory: Inventory) -> None:
        self._index = index
        self._inventory = inventory

    def search(self, arguments: Mapping[str, Any], *, deadline: Deadline) -> dict[str, Any]:
        """Return `products` (best first), `total_hits`, `returned`, `relaxed` and `degraded`.

        When nothing fits, the filters are dropped one after the other, in the order of query.RELAXABLE, until
        something does; `relaxed` names the dropped arguments, and "query" when not all of its words match. It is empty
        when there is still nothing.

        Without an answer of the inventory `degraded` has "inventory", and `stock` and `in_stock` are None. It has
        "elasticsearch" when not every shard answered in time: there may be more and better products than these.
        Raises InvalidSearchError, BackingServiceError and SecretError, also when the deadline comes before something
        was found.
        """
        search = query.read(_checked(arguments))
        page, relaxed = self._page(search, deadline), []
        degraded = page.degraded
        for name in query.RELAXABLE:
            if page.products:
                break
            wider = search.without(name)
            if wider is not None:
                relaxed.append(name)
                search = wider
                page = self._page(search, deadline, ask_inventory=INVENTORY not in degraded)
                degraded |= page.degraded
        return {
            "products": page.products,
            "total_hits": page.total,
            "returned": len(page.products),
            "relaxed": relaxed if page.products else [],
            "degraded": sorted(degraded),
        }

    def _page(self, search: Search, deadline: Deadline, *, ask_inventory: bool = True) -> _Page:
        # What the inventory may take away again is fetched in excess; one batch read holds MAXIMUM_KEYS.
        selective = search.in_stock_only or search.price_min is not None or search.price_max is not None
        window = MAXIMUM_KEYS if selective else search.size
        found = self._index.find(query.build(search, window), deadline=deadline)
        entries = self._entries([product["sku"] for product in found.products], deadline) if ask_inventory else None
        products = [_live(product, entries) for product in found.products]
        fitting = [product for product in products if _fits(product, search)]
        # Of those beyond the window only the index can tell.
        total = found.total - (len(products) - len(fitting))
        silent = {ELASTICSEARCH: found.is_partial, INVENTORY: entries is None}
        return _Page(fitting[: search.size], total, {name for name, is_silent in silent.items() if is_silent})

    def _entries(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry] | None:
        if not skus:
            return {}
        try:
            return self._inventory.quantities(skus, deadline)
        except BackingServiceError:
            return None


def _checked(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments without those that are null. Raises InvalidSearchError."""
    given = {name: value for name, value in arguments.items() if value is not None}
    mistakes = json_schema.mistakes(given, SEARCH_INPUT_SCHEMA)
    if mistakes:
        raise InvalidSearchError(f"{'; '.join(mistake.removeprefix('input.') for mistake in mistakes)}.".capitalize())
    if not given["query"].strip():
        raise InvalidSearchError("Query must say what to look for.")
    for name in ("category", "dietary_terms", "avoid_ingredients", "brands"):
        values = given.get(name, [])
        # Without a word it would be no filter, and a diet that is dropped in silence can hurt somebody.
        if not all(map(words, [values] if isinstance(values, str) else values)):
            raise InvalidSearchError(f"{name} must be written in letters or digits.".capitalize())
    if given.get("price_min", 0) > given.get("price_max", _MAXIMUM_PRICE):
        raise InvalidSearchError("Price_min must not be more than price_max.")
    return given


def _live(product: Mapping[str, Any], entries: Mapping[str, StockEntry] | None) -> dict[str, Any]:
    """Return a product as it is shown: the inventory's price counts, and what it lacks cannot be bought."""
    entry = _UNKNOWN if entries is None else entries.get(product["sku"], _NONE_LEFT)
    indexed = product.get("price")
    is_number = isinstance(indexed, (int, float, Decimal)) and not isinstance(indexed, bool)
    price = Decimal(str(indexed)).quantize(Decimal("0.01")) if is_number else None
    return {
        "sku": product["sku"],
        **{name: product.get(name, "") for name in ("name", "brand", "category", "description")},
        "price": price if entry.price is None else entry.price,
        "pack_size": product.get("pack_size", ""),
        "dietary_terms": product.get("dietary_terms", []),
        "rating": product.get("rating"),
        "stock": entry.qty,
        "in_stock": entry.in_stock,
    }


def _fits(product: Mapping[str, Any], search: Search) -> bool:
    """Tell whether a product fits as the inventory has it now; unknown stock does."""
    return search.admits(product["price"]) and not (search.in_stock_only and product["in_stock"] is False)
