"""Find what a newer OpenAPI document takes away from clients of an older one.

What a request may say must not shrink, and what an answer may say must not grow: each schema is checked to be a subset
of the other, in the direction that its place asks for. Fields that an answer gains break nobody.
Sources: OpenAPI Specification 3.1, "Operation Object"; JSON Schema 2020-12, "Validation". Schemas are compared keyword
by keyword, so a keyword that is not known here counts as a break when it changes. A path is compared as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_ANNOTATIONS: Final = ("title", "description", "examples", "example", "default", "deprecated", "readOnly", "writeOnly")
_COMPARED: Final = (
    "type",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "properties",
    "required",
    "additionalProperties",
    "items",
)

Json = Mapping[str, Any]


class Comparison:
    """Two documents; `breaks` yields one sentence for each thing that a client of `old` can no longer rely on."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._compared: set[tuple[str, str, bool]] = set()

    def breaks(self) -> Iterator[str]:
        """Yield the breaks, path by path."""
        for path, old_item in self._old["paths"].items():
            new_item = self._new["paths"].get(path)
            if new_item is None:
                yield f"{path}: the path is gone"
                continue
            for method in (one for one in _METHODS if one in old_item):
                name = f"{method.upper()} {path}"
                if method in new_item:
                    yield from self._operation(name, *_with_shared_parameters(method, old_item, new_item))
                else:
                    yield f"{name}: the method is gone"

    def _operation(self, name: str, old: Json, new: Json) -> Iterator[str]:
        secured = [one for one in new.get("security", self._new.get("security", [])) if one]
        allowed = old.get("security", self._old.get("security", []))
        if secured and not any(one in secured or {} in new.get("security", []) for one in allowed):
            yield f"{name}: asks for credentials that it did not ask for"
        yield from self._parameters(name, old.get("parameters", []), new.get("parameters", []))
        yield from self._body(name, old, new)
        for status, old_response in old.get("responses", {}).items():
            where, new_response = f"{name}, answer {status}", new.get("responses", {}).get(status)
            if new_response is None:
                yield f"{where}: the status is gone"
                continue
            was, now = _resolve(self._old, old_response), _resolve(self._new, new_response)
            yield from self._content(where, was, now, is_request=False)
            for header, old_header in was.get("headers", {}).items():
                if header not in now.get("headers", {}):
                    yield f"{where}: the header {header} is gone"
                else:
                    was_header = _resolve(self._old, old_header).get("schema", {})
                    now_header = _resolve(self._new, now["headers"][header]).get("schema", {})
                    yield from self._schema(f"{where}, header {header}", was_header, now_header, is_request=False)

    def _parameters(self, name: str, old: list[Json], new: list[Json]) -> Iterator[str]:
        was = {(one["in"], one["name"]): one for one in (_resolve(self._old, each) for each in old)}
        now = {(one["in"], one["name"]): one for one in (_resolve(self._new, each) for each in new)}
        for key, parameter in was.items():
            where = f"{name}, {key[0]} parameter {key[1]}"
            if key not in now:
                yield f"{where}: is gone"
            else:
                yield from self._schema(where, parameter.get("schema", {}), now[key].get("schema", {}), is_request=True)
        for key, parameter in now.items():
            if parameter.get("required") and not was.get(key, {}).get("required"):
                yield f"{name}, {key[0]} parameter {key[1]}: is required now"

    def _body(self, name: str, old: Json, new: Json) -> Iterator[str]:
        was, now = _resolve(self._old, old.get("requestBody", {})), _resolve(self._new, new.get("requestBody", {}))
        if was and not now:
            yield f"{name}: the body is gone"
        elif now.get("required") and not was.get("required"):
            yield f"{name}: the body is required now"
        else:
            yield from self._content(f"{name}, body", was, now, is_request=True)

    def _content(self, where: str, old: Json, new: Json, *, is_request: bool) -> Iterator[str]:
        for media_type, was in old.get("content", {}).items():
            now = new.get("content", {}).get(media_type)
            if now is None:
                yield f"{where}: {media_type} is gone"
            else:
                yield from self._schema(where, was.get("schema", {}), now.get("schema", {}), is_request=is_request)

    def _schema(self, where: str, old: Any, new: Any, *, is_request: bool) -> Iterator[str]:
        """Yield what breaks between two schemas: what was accepted must still be, what is answered must have been."""
        if isinstance(old, dict) and isinstance(new, dict) and "$ref" in old and "$ref" in new:
            pair = (old["$ref"], new["$ref"], is_request)
            if pair in self._compared:  # a schema that holds itself has no end, and one break is said once
                return
            self._compared.add(pair)
        was, now = _alternatives(self._old, old), _alternatives(self._new, new)
        inner, outer = (was, now) if is_request else (now, was)
        for one in inner:
            found = [
                list(self._alternative(where, *((one, other) if is_request else (other, one)), is_request=is_request))
                for other in outer
            ]
            yield from min(found, key=len)

    def _alternative(self, where: str, old: Json, new: Json, *, is_request: bool) -> Iterator[str]:
        inner, outer = (old, new) if is_request else (new, old)
        told = "is no longer accepted" if is_request else "may be answered now"
        if "type" in outer and inner.get("type") not in (outer["type"], *(["integer"] * (outer["type"] == "number"))):
            yield f"{where}: {inner.get('type', 'any type')} {told}"
            return
        was, now = _values(inner), _values(outer)
        if now is not None and (was is None or any(value not in now for value in was)):
            more = "any value" if was is None else ", ".join(str(value) for value in was if value not in now)
            yield f"{where}: {more} {told}"
        for key in (*_UPPER, *_LOWER):
            if key in outer:
                limit, reached = outer[key], inner.get(key)
                if reached is None or (reached > limit if key in _UPPER else reached < limit):
                    yield f"{where}: {key} was {old.get(key)} and is {new.get(key)}"
        for key in outer.keys() - {*_UPPER, *_LOWER, *_ANNOTATIONS, *_COMPARED}:
            if outer[key] != inner.get(key):
                yield f"{where}: {key} was {old.get(key)} and is {new.get(key)}"
        yield from self._object(where, old, new, is_request=is_request)
        if "items" in outer:
            yield from self._schema(f"{where}[]", old.get("items", {}), new.get("items", {}), is_request=is_request)

    def _object(self, where: str, old: Json, new: Json, *, is_request: bool) -> Iterator[str]:
        for field, schema in old.get("properties", {}).items():
            if field not in new.get("properties", {}):
                yield f"{where}: the field {field} is gone"
            else:
                yield from self._schema(f"{where}.{field}", schema, new["properties"][field], is_request=is_request)
        was, now = set(old.get("required", [])), set(new.get("required", []))
        told = "is required now" if is_request else "may be missing now"
        for field in sorted(now - was if is_request else (was - now) & set(new.get("properties", {}))):
            yield f"{where}: the field {field} {told}"
        others, other = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if is_request and other is False and others is not False:
            yield f"{where}: other fields are no longer accepted"
        elif isinstance(others, dict) and isinstance(other, dict):
            yield from self._schema(f"{where}.*", others, other, is_request=is_request)


def _with_shared_parameters(method: str, *items: Json) -> list[Json]:
    return [
        {**item[method], "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])]}
        for item in items
    ]


def _resolve(document: Json, part: Json) -> Json:
    while "$ref" in part:
        found: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        part = found
    return part


def _alternatives(document: Json, schema: Any) -> list[Json]:
    """Return the schemas one of which a value meets: those of anyOf, oneOf, and of each type in a list of types."""
    if isinstance(schema, bool):
        return [{} if schema else {"not": {}}]
    schema = _resolve(document, schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [one for each in schema[key] for one in _alternatives(document, each)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": one} for one in schema["type"]]
    return [schema]


def _values(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
