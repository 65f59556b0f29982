from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from app.content_disposition import attachment
from hypothesis import given
from hypothesis import strategies as st

# RFC 6266 section 4.1 with the quoted-string and ext-value that this service may send
FORM = re.compile(
    r"attachment; filename=\"([\x20-\x21\x23-\x5b\x5d-\x7e]*)\"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*))?"
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_name_survives_and_nothing_else_gets_in(filename: str) -> None:
    match = FORM.fullmatch(attachment(filename))

    assert match is not None
    assert (match[1] if match[2] is None else unquote(match[2])) == filename


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("sample.txt", 'attachment; filename="sample.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("चाय.txt", "attachment; filename=\"___.txt\"; filename*=UTF-8''%E0%A4%9A%E0%A4%BE%E0%A4%AF.txt"),
        ('a"b', "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
    ],
)
def test_examples(filename: str, expected: str) -> None:
    assert attachment(filename) == expected


def test_half_a_surrogate_pair_cannot_break_it() -> None:
    assert FORM.fullmatch(attachment("a\ud800"))
