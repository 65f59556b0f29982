from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from app.models import MAXIMUM_PRICE, Adjustment, Item, NewItem, parse_price
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

TEA = {"sku": "TEA-1", "name": "Tea", "qty": 1}


def is_valid(**fields: Any) -> bool:
    try:
        NewItem.model_validate({**TEA, **fields})
    except ValidationError:
        return False
    return True


@given(st.text(max_size=70))
def test_a_sku_is_of_the_alphabet_and_no_dot_segment(sku: str) -> None:
    expected = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sku) is not None and sku not in {".", ".."}

    assert is_valid(sku=sku) is expected


@pytest.mark.parametrize("sku", ["", ".", "..", "a" * 65, "a b", "a/b", "é", "a\n", "\ud800", None, 5])
def test_bad_skus(sku: Any) -> None:
    assert not is_valid(sku=sku)


@pytest.mark.parametrize("name", ["", " ", "\t", "a\x00", "a\nb", "\x85x", "x" * 201, None, 5, "\ud800"])
def test_bad_names(name: Any) -> None:
    assert not is_valid(name=name)


@pytest.mark.parametrize("name", ["x", "मसाला चाय", "x" * 200, "🫖" * 200, "a  b "])
def test_good_names(name: str) -> None:
    assert is_valid(name=name)


@pytest.mark.parametrize("qty", [-1, 1_000_000_001, True, "5", 5.0, None, float("nan"), 10**400])
def test_bad_quantities(qty: Any) -> None:
    assert not is_valid(qty=qty)


@pytest.mark.parametrize("qty", [0, 1_000_000_000])
def test_good_quantities(qty: int) -> None:
    assert is_valid(qty=qty)


def test_unknown_fields_are_refused() -> None:
    assert not is_valid(version=3)
    assert not is_valid(brand="x")


def test_an_optional_field_may_be_null() -> None:
    assert is_valid(price=None, category=None, description=None)


@pytest.mark.parametrize("delta", [0, True, 1.0, "1", None, 1_000_000_001, -1_000_000_001])
def test_bad_deltas(delta: Any) -> None:
    with pytest.raises(ValidationError):
        Adjustment.model_validate({"delta": delta})


def test_what_is_not_set_is_left_out() -> None:
    item = Item.model_construct(sku="A", name="a", qty=0, version=1)

    assert item.members() == {"sku": "A", "name": "a", "qty": 0, "version": 1}


@given(st.integers(0, int(MAXIMUM_PRICE * 100)))
def test_every_amount_of_paise_is_exact(paise: int) -> None:
    price = Decimal(paise) / 100

    assert parse_price(price) == price
    assert str(parse_price(f"{price:.2f}")) == f"{price:.2f}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("19.99"), "19.99"),
        (Decimal("19.990"), "19.99"),
        (Decimal("1E+2"), "100.00"),
        (Decimal("-0.0"), "0.00"),
        (7, "7.00"),
        ("7.5", "7.50"),
    ],
)
def test_prices_have_two_places(value: Any, expected: str) -> None:
    assert str(parse_price(value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        *map(
            Decimal,
            [
                "0.001",
                "-0.01",
                "NaN",
                "sNaN",
                "Infinity",
                "-Infinity",
                "1E+400",
                "1E-400",
                "1E+999999999999",
                "1000000000",
            ],
        ),
        *[-1, 10**30, True, 19.99, None, [], {}, "", "1e2", "NaN", "-1", " 1", "1.999", "1,5", "\uff11", "1.", ".5"],
    ],
)
def test_what_is_no_price_is_refused(value: Any) -> None:
    with pytest.raises(PydanticCustomError):
        parse_price(value)


@given(st.one_of(st.decimals(), st.text(), st.floats(), st.integers(), st.booleans()))
def test_any_value_is_a_price_or_refused(value: Any) -> None:
    try:
        price = parse_price(value)
    except PydanticCustomError:
        return
    assert 0 <= price <= MAXIMUM_PRICE
    assert price.as_tuple().exponent == -2
