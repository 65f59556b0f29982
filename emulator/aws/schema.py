"""What properties a resource type may have locally, and of which kind.

A property that is not declared is refused by name: nothing that the template says is dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

from sam_template.intrinsics import IntrinsicError, as_text


class Kind(Enum):
    """The kinds of a single value. DOCUMENT is JSON that AWS itself reads, such as a policy."""

    TEXT = "a text"
    WHOLE = "a whole number"
    FLAG = "true or false"
    DOCUMENT = "a JSON document"


Schema: TypeAlias = Kind | Mapping[str, "Schema"] | list["Schema"]
"""A kind, a mapping of property names, or a list with one member: the schema of each member."""

TAGS: Schema = [{"Key": Kind.TEXT, "Value": Kind.TEXT}]


class PropertyError(Exception):
    """A property that cannot be honoured; the message starts with its path."""


def conform(value: Any, schema: Schema, path: str = "") -> Any:
    """Return `value` with its scalars made the kinds that `schema` names ("5" a number, "true" a flag).

    Raises PropertyError for a property that `schema` does not have and for a value of another kind.
    """
    if isinstance(schema, Mapping):
        if not isinstance(value, Mapping):
            raise PropertyError(f"{path or 'Properties'} must be a mapping")
        for name in value:
            if name not in schema:
                raise PropertyError(f"{_join(path, name)} has no mapping in the emulator")
        return {name: conform(member, schema[name], _join(path, name)) for name, member in value.items()}
    if isinstance(schema, list):
        if not isinstance(value, list):
            raise PropertyError(f"{path} must be a list")
        return [conform(member, schema[0], f"{path}[{index}]") for index, member in enumerate(value)]
    return _scalar(value, schema, path)


def _scalar(value: Any, kind: Kind, path: str) -> Any:
    if kind is Kind.DOCUMENT:
        if isinstance(value, Mapping | str):
            return value
    elif kind is Kind.FLAG:
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
    elif kind is Kind.WHOLE:
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).lstrip("-").isdecimal():
            return int(value)
    else:
        try:
            return as_text(value, path)
        except IntrinsicError:
            pass
    raise PropertyError(f"{path} must be {kind.value}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
