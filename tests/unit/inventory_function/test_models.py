from __future__ import annotations

import re
from typing import Any

import pytest
from app.models import Adjustment, Item, NewItem
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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
