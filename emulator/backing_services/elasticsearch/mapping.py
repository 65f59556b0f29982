"""Mappings: which fields an index has, and what the values of a document become.

Source: Elasticsearch 8.19 reference, "Mapping", "Field data types". The fake never maps a field by itself: every index
is as `dynamic: strict` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from emulator.backing_services.elasticsearch import analysis
from emulator.backing_services.elasticsearch.errors import ElasticsearchError

Value = str | float
TEXTS: Final = frozenset({"text", "keyword"})
_PARAMETERS: Final = {
    "text": {"type", "fields", "analyzer"},
    "keyword": {"type", "fields"},
    "scaled_float": {"type", "scaling_factor"},
    "float": {"type"},
    "integer": {"type"},
}
_INTEGERS: Final = 2**31


class Field(NamedTuple):
    """One searchable field. `path` is where its value stands in a document: a multi-field shares its parent's."""

    name: str
    path: str
    type: str
    analyzer: str


class IndexMapping:
    """The mapping of one index. Raises ElasticsearchError 400 for what the fake does not know."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        for name in body:
            if name not in {"dynamic", "properties"}:
                raise _mapping_error(f"Root mapping definition has unsupported parameters:  [{name} : {body[name]}]")
        if str(body.get("dynamic", "strict")) != "strict":
            raise _mapping_error(f"dynamic [{body['dynamic']}] is not supported by the fake: take strict")
        self.fields: dict[str, Field] = {}
        for name, definition in body.get("properties", {}).items():
            self._add(name, name, definition)
            for suffix, sub in definition.get("fields", {}).items():
                self._add(f"{name}.{suffix}", name, sub)

    def values(self, source: Mapping[str, Any], identifier: str) -> dict[str, list[Value]]:
        """Return the values of a document for every field. Raises ElasticsearchError for what does not fit."""
        for name in source:
            if name not in self.fields:
                raise ElasticsearchError(
                    *(400, "strict_dynamic_mapping_exception"),
                    f"[1:1] mapping set to strict, dynamic introduction of [{name}] within [_doc] is not allowed",
                )
        found: dict[str, list[Value]] = {}
        for field in self.fields.values():
            given = source.get(field.path)
            values = [value for value in (given if isinstance(given, list) else [given]) if value is not None]
            found[field.name] = [_converted(field, value, identifier) for value in values]
        return found

    def _add(self, name: str, path: str, definition: Mapping[str, Any]) -> None:
        kind = definition.get("type", "")
        if kind not in _PARAMETERS:
            raise _mapping_error(f"No handler for type [{kind}] declared on field [{name}]")
        for parameter in definition:
            if parameter not in _PARAMETERS[kind]:
                raise _mapping_error(f"unknown parameter [{parameter}] on mapper [{name}] of type [{kind}]")
        if kind == "scaled_float" and "scaling_factor" not in definition:
            raise _mapping_error("Failed to parse mapping: Field [scaling_factor] is required")
        analyzer = definition.get("analyzer", "standard" if kind == "text" else "keyword")
        if analyzer not in analysis.NAMES:
            raise _mapping_error(f"analyzer [{analyzer}] has not been configured in mappings")
        self.fields[name] = Field(name, path, kind, analyzer)


def _converted(field: Field, value: Any, identifier: str) -> Value:
    try:
        return _text(value) if field.type in TEXTS else _number(field.type, value)
    except (TypeError, ValueError) as error:
        raise ElasticsearchError(
            *(400, "document_parsing_exception"),
            f"[1:1] failed to parse field [{field.name}] of type [{field.type}] in document with id '{identifier}'. "
            f"Preview of field's value: '{value}'",
            caused_by={"type": "illegal_argument_exception", "reason": str(error)},
        ) from None


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise TypeError(f"Can't get text on a {'START_OBJECT' if isinstance(value, dict) else 'START_ARRAY'}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(kind: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool | dict | list) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f'For input string: "{value}"')
    if kind != "integer":
        return number
    if not -_INTEGERS <= number < _INTEGERS:
        raise ValueError(f"Value [{value}] is out of range for an integer")
    return int(number)  # a fraction is cut off, as the default `coerce` does


def _mapping_error(reason: str) -> ElasticsearchError:
    return ElasticsearchError(400, "mapper_parsing_exception", reason)
