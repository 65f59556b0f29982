"""The checks that validation is made of. Each raises ApiError 400 in the API's own words.

Source: messages of the API itself; `<place>: Extra inputs are not permitted` and its like are those of pydantic, which
the API uses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emulator.backing_services.anthropic.errors import invalid


def known_fields(value: Mapping[str, Any], place: str, allowed: Collection[str]) -> None:
    """Refuse fields that are not `allowed`."""
    for name in value:
        if name not in allowed:
            raise invalid(f"{_join(place, name)}: Extra inputs are not permitted")


def required(value: Mapping[str, Any], place: str, *names: str) -> None:
    """Refuse a value without one of the fields `names`."""
    for name in names:
        if name not in value:
            raise invalid(f"{_join(place, name)}: Field required")


def text(value: Any, place: str) -> str:
    """Return `value`, a string."""
    if not isinstance(value, str):
        raise invalid(f"{place}: Input should be a valid string")
    return value


def pattern(value: Any, place: str, expression: str) -> str:
    """Return `value`, a string that `expression` matches."""
    if not re.search(expression, text(value, place)):
        raise invalid(f"{place}: String should match pattern '{expression}'")
    return str(value)


def integer(value: Any, place: str, *, minimum: int) -> int:
    """Return `value`, a whole number of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"{place}: Input should be a valid integer")
    if value < minimum:
        raise invalid(f"{place}: Input should be greater than or equal to {minimum}")
    return value


def boolean(value: Any, place: str) -> bool:
    """Return `value`, true or false."""
    if not isinstance(value, bool):
        raise invalid(f"{place}: Input should be a valid boolean")
    return value


def mapping(value: Any, place: str) -> Mapping[str, Any]:
    """Return `value`, an object."""
    if not isinstance(value, dict):
        raise invalid(f"{place}: Input should be a valid dictionary")
    return value


def array(value: Any, place: str) -> Sequence[Any]:
    """Return `value`, a list."""
    if not isinstance(value, list):
        raise invalid(f"{place}: Input should be a valid list")
    return value


def one_of(value: Any, place: str, members: Sequence[str]) -> str:
    """Return `value`, one of `members`."""
    if value not in members:
        quoted = [f"'{member}'" for member in members]
        listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
        raise invalid(f"{place}: Input should be {listed}")
    return str(value)


def tag(value: Any, place: str, members: Sequence[str]) -> str:
    """Return the `type` of a block, one of `members`."""
    block = mapping(value, place)
    required(block, place, "type")
    if block["type"] not in members:
        expected = ", ".join(f"'{member}'" for member in sorted(members))
        raise invalid(
            f"{place}: Input tag '{block['type']}' found using 'type' does not match any of the expected tags: "
            f"{expected}"
        )
    return str(block["type"])


def cache_control(block: Mapping[str, Any], place: str) -> None:
    """Check the `cache_control` of a block that may have one."""
    control = block.get("cache_control")
    if control is None:
        return
    place = f"{place}.cache_control"
    required(mapping(control, place), place, "type")
    known_fields(control, place, ("type", "ttl"))
    one_of(control["type"], f"{place}.type", ("ephemeral",))
    one_of(control.get("ttl", "5m"), f"{place}.ttl", ("5m", "1h"))


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
