from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from app.json_text import parse, text
from app.problem import Problem
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert parse(text(value).encode()) == value
    assert json.loads(text(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_decimals_stay_exact(value: Decimal) -> None:
    assert text({"price": value}) == f'{{"price":{value:f}}}'
    assert parse(text(value).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_a_refusal(raw: bytes) -> None:
    with contextlib.suppress(Problem):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"1" * 5_000,
        b"{} {}",
        b"{'a':1}",
    ],
)
def test_refusals(raw: bytes) -> None:
    with pytest.raises(Problem) as refusal:
        parse(raw)

    assert refusal.value.status_code == 400


def test_numbers_that_are_none_reach_the_model() -> None:
    assert parse(b"NaN").is_nan()
    assert parse(b"-Infinity") == Decimal("-Infinity")
    assert parse(b"1e400") == Decimal("1e400")
    assert parse(b"1e99999999999999999999") == Decimal("Infinity")
    assert parse(b"\xef\xbb\xbf[1]") == [1]
    assert parse(b'"\\ud83e\\uded6"') == "🫖"
