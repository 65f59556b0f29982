"""The join with the inventory, and what happens when nothing fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from shopping_bot import json_schema
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.elasticsearch import Found, ProductIndex
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search.product_search import SEARCH_INPUT_SCHEMA, InvalidSearchError, ProductSearch

INDEXED = {
    "name": "Beetroot Chips",
    "brand": "Tarangi",
    "category": "chips",
    "description": "Crisp.",
    "price": 85.0,
    "pack_size": "80 g",
    "dietary_terms": ["vegan"],
    "rating": 4.4,
    "quality_score": 84,
}


class FakeIndex(ProductIndex):
    """Finds `skus`, of `total`, once at most `strict` filters are left."""

    def __init__(self, *skus: str, total: int | None = None, strict: int = 99) -> None:
        self.skus = skus
        self.total = len(skus) if total is None else total
        self.strict = strict
        self.bodies: list[Mapping[str, Any]] = []
        self.is_partial = False
        self.prices: dict[str, Any] = {}

    def find(self, body: Mapping[str, Any], *, deadline: Deadline) -> Found:
        self.bodies.append(body)
        filters = body["query"]["function_score"]["query"]["bool"]["filter"]
        if len(filters) > self.strict:
            return Found([], 0, self.is_partial)
        priced = ({"sku": sku, **INDEXED, "price": self.prices.get(sku, 85.0)} for sku in self.skus[: body["size"]])
        return Found(list(priced), self.total, self.is_partial)


class FakeInventory(Inventory):
    def __init__(self, **entries: tuple[int, str | None]) -> None:
        self.entries = entries
        self.reads: list[list[str]] = []
        self.down = False

    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        self.reads.append(list(skus))
        if self.down:
            raise BackingServiceError("dynamodb", "ThrottlingException")
        known = {sku: self.entries[sku] for sku in skus if sku in self.entries}
        return {sku: StockEntry(qty, price and Decimal(price)) for sku, (qty, price) in known.items()}  # type: ignore[arg-type]


def run(index: FakeIndex, inventory: FakeInventory, **arguments: Any) -> dict[str, Any]:
    return ProductSearch(index, inventory).search({"query": "chips", **arguments}, deadline=Deadline(5))


def test_a_product_is_shown_as_the_inventory_has_it() -> None:
    inventory = FakeInventory(A=(3, "79.50"), B=(0, None))
    found = run(FakeIndex("A", "B", "C", total=12), inventory, size=3)
    assert found["products"][0] == {
        "sku": "A",
        "name": "Beetroot Chips",
        "brand": "Tarangi",
        "category": "chips",
        "description": "Crisp.",
        "price": Decimal("79.50"),
        "pack_size": "80 g",
        "dietary_terms": ["vegan"],
        "rating": 4.4,
        "stock": 3,
        "in_stock": True,
    }
    shown = [(one["sku"], one["price"], one["stock"], one["in_stock"]) for one in found["products"][1:]]
    # B has no price in the inventory, C is not in it at all.
    assert shown == [("B", Decimal("85.00"), 0, False), ("C", Decimal("85.00"), 0, False)]
    assert {name: found[name] for name in ("total_hits", "returned", "relaxed", "degraded")} == {
        "total_hits": 12,
        "returned": 3,
        "relaxed": [],
        "degraded": [],
    }
    assert inventory.reads == [["A", "B", "C"]]


def test_what_is_out_of_stock_is_left_out() -> None:
    found = run(
        FakeIndex("A", "B", "C"), FakeInventory(A=(0, None), B=(2, None), C=(1, None)), in_stock_only=True, size=1
    )
    assert [product["sku"] for product in found["products"]] == ["B"]
    assert found["total_hits"] == 2


def test_a_live_price_decides_whether_a_product_fits() -> None:
    found = run(FakeIndex("A", "B"), FakeInventory(A=(1, "120.00"), B=(1, "90.00")), price_max=100)
    assert [product["sku"] for product in found["products"]] == ["B"]
    assert (found["total_hits"], found["relaxed"]) == (1, [])


def test_without_the_inventory_stock_is_unknown() -> None:
    inventory = FakeInventory()
    inventory.down = True
    found = run(FakeIndex("A"), inventory, in_stock_only=True)
    assert found["degraded"] == ["inventory"]
    assert [(one["stock"], one["in_stock"], one["price"]) for one in found["products"]] == [
        (None, None, Decimal("85.00"))
    ]


@pytest.mark.parametrize("skus", [("A",), ()])
def test_results_of_some_shards_only_do_not_pass_for_complete(skus: tuple[str, ...]) -> None:
    index = FakeIndex(*skus)
    index.is_partial = True

    assert run(index, FakeInventory(A=(1, None)), category="y")["degraded"] == ["elasticsearch"]


def test_both_backing_services_may_be_short_of_something() -> None:
    index, inventory = FakeIndex("A"), FakeInventory()
    index.is_partial = inventory.down = True

    assert run(index, inventory)["degraded"] == ["elasticsearch", "inventory"]


def test_an_inventory_that_did_not_answer_is_not_asked_again_for_each_filter() -> None:
    inventory = FakeInventory()
    inventory.down = True
    index = FakeIndex("A", "B")
    index.prices = {"A": 500.0, "B": 500.0}

    run(index, inventory, price_max=100, category="y", brands=["X"])

    assert len(index.bodies) > 1
    assert len(inventory.reads) == 1


def test_a_row_that_cannot_be_read_makes_the_stock_of_its_product_unknown() -> None:
    class Foreign(FakeInventory):
        def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
            return {"A": StockEntry(None, None), "B": StockEntry(2, None)}

    found = run(FakeIndex("A", "B"), Foreign())

    assert [(one["sku"], one["stock"], one["in_stock"]) for one in found["products"]] == [
        ("A", None, None),
        ("B", 2, True),
    ]
    assert found["degraded"] == []


@pytest.mark.parametrize("price", ["85", [85.0, 90.0], True, {}])
def test_a_price_that_is_no_number_is_none(price: Any) -> None:
    index = FakeIndex("A")
    index.prices = {"A": price}

    assert run(index, FakeInventory(A=(1, None)))["products"][0]["price"] is None


def test_filters_go_one_by_one_until_something_fits() -> None:
    index = FakeIndex("A", strict=2)
    arguments: dict[str, Any] = {
        "query": "dark chocolate",
        "brands": ["X"],
        "category": "y",
        "dietary_terms": ["vegan"],
    }
    found = run(index, FakeInventory(A=(1, None)), **arguments)
    assert found["relaxed"] == ["query", "brands"]
    assert found["returned"] == 1
    assert len(index.bodies) == 3


def test_a_diet_is_kept_and_nothing_is_claimed_to_have_helped() -> None:
    index = FakeIndex("A", strict=0)
    found = run(index, FakeInventory(), brands=["X"], category="y", price_min=1, price_max=2, dietary_terms=["vegan"])
    assert (found["products"], found["relaxed"], found["total_hits"]) == ([], [], 0)
    last = index.bodies[-1]["query"]["function_score"]["query"]["bool"]["filter"]
    assert last == [{"term": {"dietary_terms": "vegan"}}]


def test_an_out_of_stock_product_is_better_than_none() -> None:
    found = run(FakeIndex("A"), FakeInventory(A=(0, None)), in_stock_only=True)
    assert found["relaxed"] == ["in_stock_only"]
    assert found["products"][0]["in_stock"] is False


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "Query is missing."),
        ({"query": ""}, "Query must have at least 1 characters."),
        ({"query": "  "}, "Query must say what to look for."),
        ({"query": "x" * 201}, "Query must have at most 200 characters."),
        ({"query": 5}, "Query must be string."),
        ({"query": "x", "size": 0}, "Size must be at least 1."),
        ({"query": "x", "size": 51}, "Size must be at most 50."),
        ({"query": "x", "size": True}, "Size must be integer."),
        ({"query": "x", "price_min": -1}, "Price_min must be at least 0."),
        ({"query": "x", "price_max": "10"}, "Price_max must be number."),
        ({"query": "x", "price_min": 20, "price_max": 10}, "Price_min must not be more than price_max."),
        ({"query": "x", "brands": "Tarangi"}, "Brands must be array."),
        ({"query": "x", "brands": [1]}, r"Brands\[0\] must be string."),
        ({"query": "x", "dietary_terms": ["-"]}, "Dietary_terms must be written in letters or digits."),
        ({"query": "x", "dietary_terms": ["vegan", "\U0001f96c"]}, "Dietary_terms must be written in letters"),
        ({"query": "x", "avoid_ingredients": ["..."]}, "Avoid_ingredients must be written in letters or digits."),
        ({"query": "x", "brands": ["\u200d"]}, "Brands must be written in letters or digits."),
        ({"query": "x", "category": "\u093e"}, "Category must be written in letters or digits."),
        ({"query": "x", "in_stock_only": "yes"}, "In_stock_only must be boolean."),
        ({"query": "x", "colour": "red"}, "Input must have no members but query"),
    ],
)
def test_wrong_arguments_are_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSearchError, match=sentence):
        ProductSearch(FakeIndex(), FakeInventory()).search(arguments, deadline=Deadline(5))


def test_null_is_the_same_as_absent() -> None:
    assert run(FakeIndex("A"), FakeInventory(), price_max=None, brands=None, size=None)["returned"] == 1


def test_sizes_may_be_decimal_wholes() -> None:
    assert run(FakeIndex("A", "B"), FakeInventory(), size=Decimal("1.0"))["returned"] == 1


def test_the_schema_is_one_that_is_checked_in_full() -> None:
    json_schema.check_schema(SEARCH_INPUT_SCHEMA)
