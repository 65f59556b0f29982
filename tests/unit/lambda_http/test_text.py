"""Words, and what of a text can be seen, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_http import text


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("मसाला चाय", ["मसाला", "चाय"]),
        ("तेल-घी", ["तेल", "घी"]),
        ("no_palm oil", ["no", "palm", "oil"]),
        ("- ,\u200d \u0301 \u3164", []),
        ("❤️ tea", ["tea"]),
        ("\u200cتست", ["تست"]),
    ],
)
def test_words(written: str, words: list[str]) -> None:
    assert text.words(written) == words


@pytest.mark.parametrize("blank", [*"\u00a0\u200b\u202e\u200d\u0301\ufe0f\u3164\u2800\x07 ", "", "\u202e\u200b"])
def test_nothing_of_this_shows(blank: str) -> None:
    assert not text.is_visible(blank)


@pytest.mark.parametrize("shown", ["a", "५", "-", "₹", "👨‍👩‍👧", "क्‍ष", "\u0600"])
def test_something_of_this_shows(shown: str) -> None:
    assert text.is_visible(shown)
    assert text.readable(shown) == shown


@given(st.text())
def test_readable_text_stays_as_it_is(written: str) -> None:
    kept = text.readable(written)

    assert text.readable(kept) == kept
    assert all(text.is_readable(character) or character == "\n" for character in kept)
    kept.encode()
