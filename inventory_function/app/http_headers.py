"""Entity tags and the lists of them in conditional requests (RFC 9110 sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)+")
MAXIMUM_TAGS = 10


@dataclass(frozen=True, slots=True)
class EntityTag:
    """One entity tag; `opaque` is the text between the quotes."""

    opaque: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.opaque}"'


@dataclass(frozen=True, slots=True)
class TagList:
    """The value of If-Match or If-None-Match: "*" (`any`) or tags."""

    any: bool
    tags: tuple[EntityTag, ...] = ()

    def matches_weakly(self, current: EntityTag) -> bool:
        """Tell whether `current` is in the list by weak comparison (RFC 9110 section 8.8.3.2)."""
        return self.any or any(tag.opaque == current.opaque for tag in self.tags)


def parse(header: str) -> TagList:
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
