from __future__ import annotations

from decimal import Decimal

from shopping_bot import request_metrics
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.deadline import Deadline

from tests.unit.shopbot_function.fakes import FakeInventory, product


def test_products_of_this_turn_are_shown_as_the_search_returned_them() -> None:
    stock = FakeInventory()
    known = KnownProducts({}, stock, Deadline(10))
    known.put({"A": product("A")})

    assert known.show(["A", "B", "A"]) == [product("A")]
    assert stock.reads == []


def test_older_products_are_looked_up_again() -> None:
    stock = FakeInventory({"A": 0}, price=Decimal("90.00"))
    known = KnownProducts({"A": product("A", stock=5), "GONE": product("GONE")}, stock, Deadline(10))

    first, second = known.show(["A", "GONE"])

    assert (first["stock"], first["in_stock"], first["price"]) == (0, False, Decimal("90.00"))
    assert (second["stock"], second["in_stock"], second["price"]) == (0, False, Decimal("85.00"))
    assert stock.reads == [["A", "GONE"]]


def test_without_the_inventory_stock_is_unknown() -> None:
    metrics = request_metrics.begin()
    stock = FakeInventory()
    stock.down = True

    shown = KnownProducts({"A": product("A")}, stock, Deadline(10)).show(["A"])

    assert (shown[0]["stock"], shown[0]["in_stock"]) == (None, None)
    assert metrics.degraded == {"inventory"}
