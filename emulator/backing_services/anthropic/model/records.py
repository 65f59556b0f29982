"""Products in the results of tools.

Nothing but their fields is read: a name or a description is a text about a product, whatever it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_ID_FIELDS: Final = ("sku", "product_id", "id")


@dataclass(frozen=True)
class Record:
    """What the model knows of a product."""

    id: str
    name: str
    price: Decimal | None = None
    in_stock: bool | None = None
    stock: int | None = None
    rating: float | None = None
    quality: float | None = None
    brand: str = ""
    category: str = ""
    pack_size: str = ""
    dietary: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()


def parse(content: Any) -> Any:
    """Return the content of a tool result: parsed JSON where it is some, else its text."""
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def records(value: Any) -> list[Record]:
    """Return every product in a parsed tool result, in its order."""
    found = {record.id: record for record in map(_record, _candidates(value)) if record is not None}
    return list(found.values())


def relaxed(value: Any) -> list[str]:
    """Return the names of the filters that a search gave up."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name.startswith("relaxed") and member:
                members = member if isinstance(member, list) else [member]
                return [
                    str(one.get("filter", one.get("field", ""))) if isinstance(one, dict) else str(one)
                    for one in members
                ]
    return []


def _candidates(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        if any(isinstance(value.get(field), str) for field in _ID_FIELDS):
            yield value
        else:
            for member in value.values():
                yield from _candidates(member)
    elif isinstance(value, list):
        for member in value:
            yield from _candidates(member)


def _record(value: Mapping[str, Any]) -> Record | None:
    identifier = next((value[field] for field in _ID_FIELDS if isinstance(value.get(field), str)), "")
    if not identifier:
        return None
    stock = _first(value, "stock", "qty", "quantity", "available")
    count = int(stock) if isinstance(stock, (int, float)) and not isinstance(stock, bool) else None
    in_stock = value.get("in_stock")
    return Record(
        id=identifier,
        name=str(value.get("name") or identifier),
        price=_decimal(value.get("price")),
        in_stock=in_stock if isinstance(in_stock, bool) else None if count is None else count > 0,
        stock=count,
        rating=_number(value.get("rating")),
        quality=_number(value.get("quality_score")),
        brand=str(value.get("brand") or ""),
        category=str(value.get("category") or ""),
        pack_size=str(value.get("pack_size") or ""),
        dietary=_texts(value.get("dietary_terms") or value.get("dietary")),
        ingredients=_texts(value.get("ingredients")),
    )


def main_words(name: str) -> str:
    """Return what a product is, from its name: "Baked Ragi Chips, Tomato" is "ragi chips"."""
    words = re.findall(r"[a-z]+", re.split(r",|\bwith\b|\d", name.lower())[0])
    return " ".join(words[-2:])


def by_id(known: Iterable[Record]) -> dict[str, Record]:
    """Return records by id, the latest of each."""
    return {record.id: record for record in known}


def _first(value: Mapping[str, Any], *names: str) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(member) for member in value) if isinstance(value, list) else ()
