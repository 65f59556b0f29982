from __future__ import annotations

from decimal import Decimal

import pytest
from app.models import NewItem
from app.stored_item import condition, entity_tag, field_values, read

from lambda_http.problem import Problem

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


EXISTS = "attribute_exists(#sku)"
FIRST = f"{EXISTS} AND #version = :m0v AND #updated_at = :m0u"


def test_no_header_is_no_condition() -> None:
    assert condition(None, None) is None


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "expression"),
    [
        ("*", None, EXISTS),
        (None, "*", "attribute_not_exists(#sku)"),
        ('"3.t"', None, FIRST),
        ('"3.t", "4.u"', None, f"{FIRST} OR {EXISTS} AND #version = :m1v AND #updated_at = :m1u"),
        (None, 'W/"3.t"', f"NOT ({EXISTS} AND #version = :n0v AND #updated_at = :n0u)"),
        ('"3.t"', "*", f"{FIRST} AND attribute_not_exists(#sku)"),
        ('"3.t", "x"', "*", f"({FIRST} OR {EXISTS} AND attribute_not_exists(#sku)) AND attribute_not_exists(#sku)"),
        ('W/"3.t"', None, f"{EXISTS} AND attribute_not_exists(#sku)"),
        ('"0."', None, f"{EXISTS} AND attribute_not_exists(#version) AND attribute_not_exists(#updated_at)"),
    ],
)
def test_headers_as_conditions(if_match: str | None, if_none_match: str | None, expression: str) -> None:
    result = condition(if_match, if_none_match)

    assert result is not None
    assert result.expression == expression
    assert all(name in expression for name in result.values)


def test_the_values_of_a_condition() -> None:
    result = condition('"3.2026-11-21T20:00:00Z"', None)

    assert result is not None
    assert result.values == {":m0v": {"N": "3"}, ":m0u": {"S": "2026-11-21T20:00:00Z"}}


@pytest.mark.parametrize("header", ["", "3", '"a', '"a", *'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    for headers in ((header, None), (None, header)):
        with pytest.raises(Problem) as refusal:
            condition(*headers)
        assert refusal.value.status == 400
