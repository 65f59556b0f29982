from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from app.filename import parse
from app.problem import Problem
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_an_accepted_name_is_harmless_however_often_it_is_decoded(filename: str) -> None:
    try:
        form = parse(filename)
    except Problem:
        return
    assert form == filename
    for _ in range(5):
        assert form not in {"", ".", ".."}
        assert not set(form) & set("/\\\r\n\0")
        form = unquote(form)


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("filename", ["..", "../x", "a/b", "a\\b", "a\r\nb", "a\x00", "\x7f", "a\x85"])
def test_refusals_in_every_encoding(filename: str, times: int) -> None:
    for _ in range(times):
        filename = quote(filename, safe="").replace(".", "%2e")

    with pytest.raises(Problem):
        parse(filename)


@pytest.mark.parametrize("filename", ["", "x" * 256, "\ud800", "."])
def test_more_refusals(filename: str) -> None:
    with pytest.raises(Problem):
        parse(filename)


@pytest.mark.parametrize("filename", ["sample.txt", "a..b", "...", "100%.txt", "a%41", "चाय.txt", "x" * 255, "a b"])
def test_good_names(filename: str) -> None:
    assert parse(filename) == filename
