"""The Range header for bytes (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"bytes[ \t]*=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*", re.IGNORECASE)
# No object is that long; the bound keeps int() away from thousands of digits.
_MAXIMUM_DIGITS = 18


class UnsatisfiableRangeError(Exception):
    """The range selects no byte of the file: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes `first` to `last`, both included, counted from 0."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


def select(header: str | None, size: int) -> ByteRange | None:
    """Return the bytes that `header` selects out of `size`, or None for all of them.

    None is also the answer to a header that is malformed, in another unit or asks for several ranges: a server may
    ignore Range (section 14.2). Raises UnsatisfiableRangeError.
    """
    match = _SINGLE.fullmatch(header or "")
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
