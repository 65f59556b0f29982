from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from app.price import MAXIMUM, parse_price
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError


@given(st.integers(0, int(MAXIMUM * 100)))
def test_every_amount_of_paise_is_exact(paise: int) -> None:
    price = Decimal(paise) / 100

    assert parse_price(price) == price
    assert str(parse_price(f"{price:.2f}")) == f"{price:.2f}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Decimal("19.99"), "19.99"),
        (Decimal("19.990"), "19.99"),
        (Decimal("1E+2"), "100.00"),
        (Decimal("-0.0"), "0.00"),
        (7, "7.00"),
        ("7.5", "7.50"),
    ],
)
def test_prices_have_two_places(given: Any, expected: str) -> None:
    assert str(parse_price(given)) == expected


@pytest.mark.parametrize(
    "given",
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
def test_everything_else_is_refused(given: Any) -> None:
    with pytest.raises(PydanticCustomError):
        parse_price(given)


@given(st.one_of(st.decimals(), st.text(), st.floats(), st.integers(), st.booleans()))
def test_nothing_but_a_refusal_is_raised(given: Any) -> None:
    try:
        price = parse_price(given)
    except PydanticCustomError:
        return
    assert 0 <= price <= MAXIMUM
    assert price.as_tuple().exponent == -2
