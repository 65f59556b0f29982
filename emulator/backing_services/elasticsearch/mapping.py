"""Mappings: which fields an index has, and what the values of a document become.

Source: Elasticsearch 8.19 reference, "Mapping", "Field data types", "Dynamic field mapping".
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.elasticsearch import analysis
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.values import NUMBERS, Value, convert

TEXTS: Final = frozenset({"text", "keyword"})
_TYPES: Final = TEXTS | NUMBERS | {"boolean", "date"}
_COMMON: Final = {"type", "index", "doc_values", "store", "fields", "meta"}
_PARAMETERS: Final = {
    "text": _COMMON - {"doc_values"} | {"analyzer", "search_analyzer", "norms"},
    "keyword": _COMMON | {"ignore_above", "norms"},
    "scaled_float": _COMMON | {"scaling_factor"},
}
_ROOT: Final = {"dynamic", "properties", "_meta"}


@dataclass(frozen=True)
class Field:
    """One searchable field. `path` is where its value stands in a document: a multi-field shares its parent's."""

    name: str
    path: str
    type: str
    analyzer: str = "keyword"
    search_analyzer: str = "keyword"
    ignore_above: int | None = None


class IndexMapping:
    """The mapping of one index; with `dynamic: true` it grows with the documents."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        for name in body:
            if name not in _ROOT:
                raise _refused(f"Root mapping definition has unsupported parameters:  [{name} : {body[name]}]")
        self._body: dict[str, Any] = copy.deepcopy(dict(body))
        self._dynamic = str(self._body.get("dynamic", "true")).lower()
        if self._dynamic not in {"true", "false", "strict"}:
            raise _refused(f"dynamic [{self._dynamic}] is not supported by the fake: take true, false or strict")
        self.fields: dict[str, Field] = {}
        self._add(self._body.get("properties", {}), prefix="")

    def body(self) -> dict[str, Any]:
        """Return the mapping as the API shows it."""
        return copy.deepcopy(self._body)

    def field(self, name: str) -> Field | None:
        """Return the field called `name`, if it is mapped."""
        return self.fields.get(name)

    def values(self, source: Mapping[str, Any], identifier: str) -> dict[str, list[Value]]:
        """Return the values of a document for every field. Raises ElasticsearchError for what does not fit."""
        found = dict(_leaves(source, ""))
        for path in found:
            if path not in self.fields and found[path]:
                self._meet(path, found[path][0])
        return {
            field.name: values
            for field in self.fields.values()
            if (values := [convert(field.type, field.name, value, identifier) for value in found.get(field.path, ())])
        }

    def _meet(self, path: str, value: Any) -> None:
        """Map a field that a document brings, or refuse it, as `dynamic` says."""
        if self._dynamic == "strict":
            parent, _, leaf = path.rpartition(".")
            raise ElasticsearchError(
                *(400, "strict_dynamic_mapping_exception"),
                f"[1:1] mapping set to strict, dynamic introduction of [{leaf}] within [{parent or '_doc'}] "
                "is not allowed",
            )
        if self._dynamic == "false":
            return
        properties = self._body.setdefault("properties", {})
        *parents, leaf = path.split(".")
        for parent in parents:
            properties = properties.setdefault(parent, {}).setdefault("properties", {})
        properties[leaf] = _guessed(value)
        self._add({leaf: properties[leaf]}, prefix="".join(f"{parent}." for parent in parents))

    def _add(self, properties: Any, prefix: str) -> None:
        if not isinstance(properties, dict):
            raise _refused("Expected map for property [properties]")
        for name, definition in properties.items():
            if not isinstance(definition, dict):
                raise _refused(f"Expected map for property [fields] on field [{name}] but got a value")
            if "properties" in definition:
                self._add(definition["properties"], f"{prefix}{name}.")
                continue
            field = _field(prefix + name, prefix + name, definition)
            self.fields[field.name] = field
            for suffix, sub in definition.get("fields", {}).items():
                name_of_sub = f"{prefix}{name}.{suffix}"
                self.fields[name_of_sub] = _field(name_of_sub, prefix + name, sub)


def _field(name: str, path: str, definition: Mapping[str, Any]) -> Field:
    kind = definition.get("type")
    if kind not in _TYPES:
        raise _refused(f"No handler for type [{kind}] declared on field [{name}]")
    for parameter in definition:
        if parameter not in _PARAMETERS.get(kind, _COMMON):
            raise _refused(f"unknown parameter [{parameter}] on mapper [{name}] of type [{kind}]")
    if kind == "scaled_float" and "scaling_factor" not in definition:
        raise _refused("Failed to parse mapping: Field [scaling_factor] is required")
    analyzer = definition.get("analyzer", "standard" if kind == "text" else "keyword")
    search_analyzer = definition.get("search_analyzer", analyzer)
    for used in (analyzer, search_analyzer):
        if used not in analysis.NAMES:
            raise _refused(f"analyzer [{used}] has not been configured in mappings")
    return Field(name, path, kind, analyzer, search_analyzer, definition.get("ignore_above"))


def _guessed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "long"}
        case float():
            return {"type": "float"}
        case _:
            return {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}


def _leaves(source: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield path and values of everything in a document that is not an object; null counts as absent."""
    gathered: dict[str, list[Any]] = {}
    for name, value in source.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for path, values in _leaves(item, f"{prefix}{name}."):
                    gathered.setdefault(path, []).extend(values)
            elif item is not None:
                gathered.setdefault(prefix + name, []).append(item)
    yield from gathered.items()


def _refused(reason: str) -> ElasticsearchError:
    return ElasticsearchError(400, "mapper_parsing_exception", reason)
