from __future__ import annotations

from decimal import Decimal

from app.models import NewItem
from app.stored_item import entity_tag, field_values, read

MINIMUM = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}}


def test_what_is_stored_is_read_again() -> None:
    new = NewItem(sku="A", name="a", qty=3, price=Decimal("19.9"), category="c", description="d")

    item = read({"sku": {"S": "A"}, **field_values(new)})

    assert item.members() == {
        "sku": "A",
        "name": "a",
        "qty": 3,
        "price": Decimal("19.90"),
        "category": "c",
        "description": "d",
        "version": 0,
    }


def test_the_price_gets_back_the_zeros_that_the_table_drops() -> None:
    assert str(read({**MINIMUM, "price": {"N": "19.9"}}).price) == "19.90"
    assert str(read({**MINIMUM, "price": {"N": "1E+2"}}).price) == "100.00"


def test_what_another_writer_stored_is_shown_as_it_is() -> None:
    assert str(read({**MINIMUM, "price": {"N": "0.001"}, "brand": {"S": "b"}}).price) == "0.001"
    assert str(entity_tag(read(MINIMUM))) == '"0."'
