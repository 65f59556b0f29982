"""The request's tools: which do what, and input that fits their schemas.

Beyond the names of the four tools nothing about them is known: fields, enums, types and limits come from
`input_schema`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from emulator.backing_services.anthropic.model.vocabulary import same
from emulator.backing_services.anthropic.model.wish import Wish
from emulator.backing_services.anthropic.reply import ToolCall

SEARCH: Final = "search_products"
STOCK: Final = "get_stock"
ASK: Final = "ask_user"
RECOMMEND: Final = "recommend"

_FIELDS: Final = {
    "query": ("query", "q", "keywords", "search_query", "text"),
    "category": ("category", "categories"),
    "price_min": ("price_min", "min_price", "minimum_price"),
    "price_max": ("price_max", "max_price", "maximum_price"),
    "dietary": ("dietary_terms", "dietary", "diets", "diet"),
    "avoid": ("avoid_ingredients", "exclude_ingredients", "avoid"),
    "brands": ("brands", "brand"),
    "in_stock_only": ("in_stock_only", "available_only", "in_stock"),
    "size": ("size", "limit", "count"),
    "ids": ("skus", "sku", "product_ids", "ids", "products", "product_id", "items"),
    "summary": ("summary", "summary_message", "message", "text", "reason"),
    "quick_replies": ("quick_replies", "suggestions", "replies"),
    "question": ("question", "message", "text", "prompt"),
    "options": ("options", "choices"),
}
_DEFAULTS: Final = {"string": "-", "array": [], "object": {}, "boolean": False, "integer": 1, "number": 1}


class Toolset:
    """The tools that a request offers."""

    def __init__(self, tools: Sequence[Mapping[str, Any]]) -> None:
        self._schemas = {str(tool["name"]): tool.get("input_schema", {}) for tool in tools}

    def __contains__(self, name: str) -> bool:
        return name in self._schemas

    @property
    def names(self) -> list[str]:
        """The names, in the order of the request."""
        return list(self._schemas)

    def members(self, tool: str, concept: str) -> list[str]:
        """Return the values that a field allows, [] when it allows any."""
        name = self._field(tool, concept)
        schema = self._properties(tool).get(name or "", {})
        allowed = schema.get("enum") or (schema.get("items") or {}).get("enum") or []
        return [member for member in allowed if isinstance(member, str)]

    def accepts(self, tool: str, concept: str) -> bool:
        """Tell whether the tool has a field for it."""
        return self._field(tool, concept) is not None

    def call(self, tool: str, **concepts: Any) -> ToolCall:
        """Return a call whose input fits the schema; what has no field or no allowed value is left out."""
        properties = self._properties(tool)
        given: dict[str, Any] = {}
        for concept, value in concepts.items():
            name = self._field(tool, concept)
            if name is not None and value not in (None, "", (), [], False):
                fitting = _fit(value, properties[name])
                if fitting is not None:
                    given[name] = fitting
        for name in self._schemas[tool].get("required", []):
            if name not in given:
                given[name] = _default(properties.get(name, {}))
        return ToolCall(tool, given)

    def search(self, wish: Wish) -> ToolCall:
        """Return a search for `wish`."""
        avoid, dietary = list(wish.avoid), list(wish.dietary)
        if not self.accepts(SEARCH, "avoid"):
            dietary += [f"no-{name.replace(' ', '-')}" for name in avoid]
        unnamed = wish.category or " ".join(dietary).replace("-", " ") or " ".join(wish.brands) or "popular"
        query = wish.query or ("" if self._is_optional(SEARCH, "query") else unnamed)
        return self.call(
            SEARCH,
            query=query.replace("-", " ") if not wish.query else query,
            category=wish.category,
            price_min=wish.price_min,
            price_max=wish.price_max,
            dietary=dietary,
            avoid=avoid,
            brands=list(wish.brands),
            in_stock_only=wish.in_stock_only,
            size=wish.size,
        )

    def wish(self, search_input: Mapping[str, Any]) -> Wish:
        """Return the wish that an earlier search was made for."""

        def value(concept: str) -> Any:
            name = next((name for name in _FIELDS[concept] if name in search_input), None)
            return search_input[name] if name else None

        def texts(concept: str) -> tuple[str, ...]:
            found = value(concept) or ()
            return (found,) if isinstance(found, str) else tuple(map(str, found))

        low, high, size = value("price_min"), value("price_max"), value("size")
        category = value("category")
        return Wish(
            query=str(value("query") or ""),
            category=category if isinstance(category, str) else None,
            price_min=Decimal(str(low)) if isinstance(low, (int, float)) else None,
            price_max=Decimal(str(high)) if isinstance(high, (int, float)) else None,
            dietary=texts("dietary"),
            avoid=texts("avoid"),
            brands=texts("brands"),
            in_stock_only=value("in_stock_only") is True,
            size=size if isinstance(size, int) else None,
        )

    def _properties(self, tool: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._schemas.get(tool, {}).get("properties") or {}
        return properties

    def _field(self, tool: str, concept: str) -> str | None:
        return next((name for name in _FIELDS[concept] if name in self._properties(tool)), None)

    def _is_optional(self, tool: str, concept: str) -> bool:
        return self._field(tool, concept) not in self._schemas[tool].get("required", [])


def _fit(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return `value` as `schema` wants it, None when it cannot be."""
    kinds = schema.get("type", "string")
    kind = next(iter(kinds)) if isinstance(kinds, list) else kinds
    if kind == "array":
        members = value if isinstance(value, (list, tuple)) else [value]
        fitting = [_fit(member, schema.get("items", {})) for member in members]
        return [member for member in fitting if member is not None][: schema.get("maxItems")] or None
    if isinstance(value, (list, tuple)):
        value = value[0]
    if kind == "object":
        return _fit_object(value, schema)
    if kind in ("number", "integer"):
        return _fit_number(value, schema, kind)
    if kind == "boolean":
        return bool(value)
    if "enum" in schema:
        return next((member for member in schema["enum"] if same(str(member), str(value))), None)
    text = value.get("value") or value.get("label") if isinstance(value, dict) else value
    return str(text)[: schema.get("maxLength")]


def _fit_object(value: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if isinstance(value, dict):
        return {name: _fit(member, properties[name]) for name, member in value.items() if name in properties}
    fields = schema.get("required") or list(properties)
    return {name: str(value) for name in fields}


def _fit_number(value: Any, schema: Mapping[str, Any], kind: str) -> int | float | None:
    number = Decimal(value)
    if number < schema.get("minimum", number):
        number = Decimal(schema["minimum"])
    if number > schema.get("maximum", number):
        number = Decimal(schema["maximum"])
    return int(number) if kind == "integer" or number == int(number) else float(number)


def _default(schema: Mapping[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "string")
    return _DEFAULTS[next(iter(kinds)) if isinstance(kinds, list) else kinds]
