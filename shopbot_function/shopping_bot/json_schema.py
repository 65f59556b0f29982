"""The part of JSON Schema (draft 2020-12) that the tools use, checked without a library.

`jsonschema` takes 120 ms to import and brings a compiled dependency, for a handful of keywords (docs/decisions has the
figures). Tests hold this module to its verdicts, and `check_schema` finds a keyword that is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_ANNOTATIONS = {"title", "description", "default", "examples", "$schema"}
_KEYWORDS = _ANNOTATIONS | {
    *("type", "enum", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
    *("uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_MAXIMUM_MISTAKES = 5


def mistakes(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with `value`, each as a place and a reason; [] when it is valid.

    Values are never repeated: they may be a customer's words. Raises ValueError for a schema beyond this module.
    """
    found: list[str] = []
    _check(value, schema, "input", found)
    return found[:_MAXIMUM_MISTAKES]


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise ValueError when `schema` uses a keyword that is not known here."""
    unknown = set(schema) - _KEYWORDS
    if unknown or not isinstance(schema.get("additionalProperties", False), bool):
        raise ValueError(f"Unknown in a schema: {sorted(unknown) or 'additionalProperties as a schema'}")
    for member in schema.get("properties", {}).values():
        check_schema(member)
    if "items" in schema:
        check_schema(schema["items"])


def _check(value: Any, schema: Mapping[str, Any], place: str, found: list[str]) -> None:
    types = schema.get("type")
    if types is not None:
        names = [types] if isinstance(types, str) else list(types)
        if not any(_is(value, name) for name in names):
            found.append(f"{place} must be {' or '.join(names)}")
            return
    if "enum" in schema and not any(_equal(value, member) for member in schema["enum"]):
        found.append(f"{place} must be one of {', '.join(map(str, schema['enum']))}")
    if isinstance(value, str):
        _check_text(value, schema, place, found)
    elif _is(value, "number"):
        _check_number(value, schema, place, found)
    elif isinstance(value, list):
        _check_list(value, schema, place, found)
    elif isinstance(value, dict):
        _check_object(value, schema, place, found)


def _check_text(value: str, schema: Mapping[str, Any], place: str, found: list[str]) -> None:
    if len(value) < schema.get("minLength", 0):
        found.append(f"{place} must have at least {schema['minLength']} characters")
    if len(value) > schema.get("maxLength", len(value)):
        found.append(f"{place} must have at most {schema['maxLength']} characters")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place} must match {schema['pattern']}")


def _check_number(value: Any, schema: Mapping[str, Any], place: str, found: list[str]) -> None:
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{place} must be at least {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        found.append(f"{place} must be at most {schema['maximum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        found.append(f"{place} must be more than {schema['exclusiveMinimum']}")
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        found.append(f"{place} must be less than {schema['exclusiveMaximum']}")


def _check_list(value: Sequence[Any], schema: Mapping[str, Any], place: str, found: list[str]) -> None:
    if len(value) < schema.get("minItems", 0):
        found.append(f"{place} must have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        found.append(f"{place} must have at most {schema['maxItems']} items")
        return
    if schema.get("uniqueItems") and any(_equal(a, b) for i, a in enumerate(value) for b in value[:i]):
        found.append(f"{place} must not repeat an item")
    for index, item in enumerate(value):
        _check(item, schema.get("items", {}), f"{place}[{index}]", found)


def _check_object(value: Mapping[str, Any], schema: Mapping[str, Any], place: str, found: list[str]) -> None:
    properties = schema.get("properties", {})
    found += [f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    if not schema.get("additionalProperties", True) and any(name not in properties for name in value):
        found.append(f"{place} must have no members but {', '.join(properties)}")
    for name, member in properties.items():
        if name in value:
            _check(value[name], member, f"{place}.{name}", found)


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool) or value is None:
        return name == ("null" if value is None else "boolean")
    if name == "integer":
        return isinstance(value, int) or (isinstance(value, (float, Decimal)) and value == value // 1)
    kinds: dict[str, Any] = {"string": str, "number": (int, float, Decimal), "array": list, "object": dict}
    return name in kinds and isinstance(value, kinds[name])


def _equal(one: Any, other: Any) -> bool:
    # To JSON Schema true is not 1.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
