from __future__ import annotations

import pytest
from app.cursor import decode, encode
from hypothesis import assume, given
from hypothesis import strategies as st

SKUS = st.text(min_size=1, max_size=500)


@given(SKUS)
def test_a_cursor_gives_its_sku_back(sku: str) -> None:
    assert decode(encode(sku)) == sku


@given(SKUS)
def test_a_cursor_needs_no_quoting_in_a_url(sku: str) -> None:
    assert set(encode(sku)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=80))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        sku = decode(text)
    except ValueError:
        return
    assert encode(sku) == text


@given(SKUS, st.data())
def test_damage_is_found(sku: str, data: st.DataObject) -> None:
    cursor = encode(sku)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_=+/ \n"))
    assume(cursor[place] != other)

    with pytest.raises(ValueError):
        decode(cursor[:place] + other + cursor[place + 1 :])


@pytest.mark.parametrize(
    "cursor", ["", "=", "A", "AAAAAAAA", "A" * 100_000, "é" * 20, encode("A") + "=", encode("A") + "\n"]
)
def test_refusals(cursor: str) -> None:
    with pytest.raises(ValueError):
        decode(cursor)
