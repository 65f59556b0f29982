from __future__ import annotations

import pytest
from app.byte_range import ByteRange, UnsatisfiableRangeError, select
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_selects_what_slicing_selects(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    try:
        part = select(f"bytes={first}-{last}", size)
    except UnsatisfiableRangeError:
        assert first <= last
        assert first >= size
        return
    if part is None:
        assert last < first
    else:
        assert content[part.first : part.last + 1] == content[first : last + 1] != b""


@given(st.integers(0, 50), st.integers(0, 60))
def test_a_suffix_selects_the_end(size: int, length: int) -> None:
    content = bytes(range(size))
    try:
        part = select(f"bytes=-{length}", size)
    except UnsatisfiableRangeError:
        assert length == 0 or size == 0
        return
    assert part is not None
    assert content[part.first : part.last + 1] == content[max(0, size - length) :]
    assert len(part) == min(size, length)


@given(st.text(max_size=30), st.integers(0, 100))
def test_any_header_is_answered(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        try:
            part = select(text, size)
        except UnsatisfiableRangeError:
            continue
        assert part is None or 0 <= part.first <= part.last < size


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=1",
        "bytes=0-1,2-3",
        "items=0-1",
        "bytes=\uff12-\uff13",
        "bytes=0-" + "9" * 5000,
    ],
)
def test_what_is_no_single_range_is_ignored(header: str | None) -> None:
    assert select(header, 10) is None


def test_the_unit_is_case_insensitive() -> None:
    assert select("Bytes = 0-1 ", 10) == ByteRange(0, 1)
