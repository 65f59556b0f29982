from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_http.json_text import InvalidJsonError, dump, load, parse

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    written = dump(value)

    assert load(written) == value
    written.encode()


def test_other_scripts_stay_as_they_are_and_half_a_surrogate_pair_is_escaped() -> None:
    assert dump({"चाय": "é\ud800"}) == '{"चाय":"\\u00e9\\ud800"}'
    assert dump("मसाला चाय") == '"मसाला चाय"'


def test_decimals_keep_their_digits() -> None:
    assert dump({"price": Decimal("19.90"), "many": (Decimal("1E+3"),)}) == '{"price":19.90,"many":[1000]}'
    assert load('{"price":0.1}') == {"price": Decimal("0.1")}


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_sentence(raw: bytes) -> None:
    try:
        value = parse(raw)
    except InvalidJsonError as error:
        sentence = str(error)
    else:
        sentence = "."
        dump(value).encode()
        json.dumps(value, ensure_ascii=False, default=str).encode()
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"{", "not JSON"),
        (b"\xff", "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b'{"a":"\\ud83d"}', "surrogate"),
        (b'{"\\ude00":1}', "surrogate"),
        (b"[" * 100_000, "nested"),
        (b'{"a":1,"a":2}', "repeats"),
        (b"NaN", "NaN"),
        (b"-Infinity", "Infinity"),
        (b"1e999999999", "too large"),
        (b"1e9999999999999999999999", "too large"),
        (b"1e-400", "too small"),
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":{"b":1,"b":1}}', "repeats"),
        (b"1" * 5000, "digits"),
    ],
)
def test_what_is_refused(raw: bytes, word: str) -> None:
    with pytest.raises(InvalidJsonError, match=word):
        parse(raw)


def test_whole_characters_and_a_byte_order_mark_are_fine() -> None:
    assert parse(b'\xef\xbb\xbf"\\ud83d\\ude00"') == "😀"
