"""Grammars of HTTP headers: entity tags, dates, ranges of bytes, Content-Disposition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

MAXIMUM_TAGS = 10
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)+")

_SINGLE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)
# No object is that long; the bound keeps int() away from thousands of digits.
_MAXIMUM_DIGITS = 18

# Backslash and quote would need quoting that clients disagree on; "%" is decoded by some (RFC 6266 appendix D).
_UNSAFE_IN_FILENAME = re.compile(r'[^\x20-\x7e]|["\\%]')
# attr-char of RFC 8187 section 3.2.1 beyond the letters, digits and "_.-~" that quote() keeps anyway.
_ATTR_CHAR = "!#$&+^`|"


@dataclass(frozen=True, slots=True)
class EntityTag:
    """One entity tag (RFC 9110 section 8.8.3); `opaque` is the text between the quotes."""

    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.opaque}"'


@dataclass(frozen=True, slots=True)
class TagList:
    """The value of If-Match or If-None-Match (RFC 9110 section 13.1): "*" (`any`) or tags."""

    any: bool
    tags: tuple[EntityTag, ...] = ()

    def matches_weakly(self, current: EntityTag) -> bool:
        """Tell whether `current` is in the list by weak comparison (RFC 9110 section 8.8.3.2)."""
        return self.any or any(tag.opaque == current.opaque for tag in self.tags)


def parse_tags(header: str) -> TagList:
    """Return the list in `header`. Raises ValueError when it is not one, or holds more than MAXIMUM_TAGS."""
    header = header.strip(" \t")
    if header == "*":
        return TagList(any=True)
    tags = []
    position = 0
    while match := _TAG.match(header, position):
        tags.append(EntityTag(opaque=match[2], weak=match[1] is not None))
        position = match.end()
        separator = _SEPARATOR.match(header, position)
        if separator is None:
            break
        position = separator.end()
    if position != len(header) or not 0 < len(tags) <= MAXIMUM_TAGS:
        raise ValueError("not a list of entity tags")
    return TagList(any=False, tags=tuple(tags))


def is_known(if_none_match: str | None, current: EntityTag) -> bool:
    """Tell whether a reader that sends `if_none_match` has `current` already.

    On a read the header only saves bytes; one that cannot be understood saves none.
    """
    try:
        return if_none_match is not None and parse_tags(if_none_match).matches_weakly(current)
    except ValueError:
        return False


def parse_date(header: str | None) -> datetime | None:
    """Return the HTTP date in `header` (RFC 9110 section 5.6.7) to the second, None for what is none."""
    try:
        moment = parsedate_to_datetime(header or "")
        return whole_seconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def whole_seconds(moment: datetime) -> datetime:
    """Return `moment` in UTC as exactly as an HTTP date can say it."""
    return moment.astimezone(UTC).replace(microsecond=0)


class UnsatisfiableRangeError(Exception):
    """The range selects no byte of the file: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes `first` to `last`, both included, counted from 0."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def select_range(header: str | None, size: int) -> ByteRange | None:
    """Return the bytes that the Range `header` selects out of `size`, or None for all of them (RFC 9110 section 14).

    None is also the answer to a header that is malformed, in another unit or asks for several ranges: a server may
    ignore Range (section 14.2). Raises UnsatisfiableRangeError.
    """
    match = _SINGLE_RANGE.fullmatch(header or "")
    if match is None or any(len(digits) > _MAXIMUM_DIGITS for digits in match.groups(default="")):
        return None
    if match[3]:
        length = int(match[3])
        if length == 0 or size == 0:
            raise UnsatisfiableRangeError
        return ByteRange(max(0, size - length), size - 1)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        raise UnsatisfiableRangeError
    return ByteRange(first, min(last, size - 1))


def attachment(filename: str) -> str:
    """Return the Content-Disposition that makes a client save the body as `filename`; always printable ASCII.

    A name that a quoted string cannot carry safely is sent twice (RFC 6266; the extended form is RFC 8187): a readable
    fallback, and the exact name in UTF-8.
    """
    fallback = _UNSAFE_IN_FILENAME.sub("_", filename)
    if fallback == filename:
        return f'attachment; filename="{filename}"'
    exact = quote(filename, safe=_ATTR_CHAR, errors="replace")
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{exact}"
