from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from app.http_headers import (
    MAXIMUM_TAGS,
    ByteRange,
    EntityTag,
    TagList,
    UnsatisfiableRangeError,
    attachment,
    parse_tags,
    select_range,
)
from hypothesis import given
from hypothesis import strategies as st

TAGS = st.builds(
    EntityTag,
    st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E), max_size=20),
    st.booleans(),
)


@given(st.lists(TAGS, min_size=1, max_size=MAXIMUM_TAGS), st.sampled_from([",", ", ", " ,\t", ", , "]))
def test_a_list_is_read(tags: list[EntityTag], separator: str) -> None:
    assert parse_tags(separator.join(map(str, tags))) == TagList(any=False, tags=tuple(tags))


@given(st.text(max_size=60))
def test_any_text_is_a_list_or_a_refusal(header: str) -> None:
    try:
        parsed = parse_tags(header)
    except ValueError:
        return
    assert parsed.any or parsed.tags


def test_the_star() -> None:
    assert parse_tags(" * ") == TagList(any=True)


@pytest.mark.parametrize("header", ["", "abc", '"a', '"a" "b"', '"a",*', "*,*", 'w/"a"', ",".join(['"a"'] * 11)])
def test_what_is_no_list_of_tags(header: str) -> None:
    with pytest.raises(ValueError):
        parse_tags(header)


def test_weak_comparison() -> None:
    assert parse_tags('W/"1"').matches_weakly(EntityTag("1"))
    assert parse_tags("*").matches_weakly(EntityTag("1"))
    assert not parse_tags('"2"').matches_weakly(EntityTag("1"))


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_selects_what_slicing_selects(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    try:
        part = select_range(f"bytes={first}-{last}", size)
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
        part = select_range(f"bytes=-{length}", size)
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
            part = select_range(text, size)
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
    assert select_range(header, 10) is None


def test_the_unit_is_case_insensitive() -> None:
    assert select_range("Bytes = 0-1 ", 10) == ByteRange(0, 1)


# RFC 6266 section 4.1 with the quoted-string and ext-value that this service may send
ATTACHMENT = re.compile(
    r"attachment; filename=\"([\x20-\x21\x23-\x5b\x5d-\x7e]*)\"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*))?"
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_name_survives_and_nothing_else_gets_in(filename: str) -> None:
    match = ATTACHMENT.fullmatch(attachment(filename))

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
def test_attachments(filename: str, expected: str) -> None:
    assert attachment(filename) == expected


def test_half_a_surrogate_pair_cannot_break_an_attachment() -> None:
    assert ATTACHMENT.fullmatch(attachment("a\ud800"))
