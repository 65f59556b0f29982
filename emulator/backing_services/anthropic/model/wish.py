"""What a customer wants to find."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Wish:
    """A search in plain terms; amounts are rupees."""

    query: str = ""
    category: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    dietary: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    in_stock_only: bool = False
    size: int | None = None

    def has_filters(self) -> bool:
        """Tell whether it says more than what the thing is called."""
        return replace(self, query="", category=None, size=None) != Wish()

    def changed_by(self, other: Wish) -> Wish:
        """Return this wish with what `other` says added or replaced."""
        given: dict[str, Any] = {
            field.name: getattr(other, field.name) for field in fields(other) if getattr(other, field.name)
        }
        for name in ("dietary", "avoid"):
            if name in given:
                given[name] = tuple(dict.fromkeys((*getattr(self, name), *given[name])))
        if "query" in given or "category" in given:
            given.setdefault("query", "")
            given.setdefault("category", None)
        changed = replace(self, **given)
        if changed.price_min is not None and changed.price_max is not None and changed.price_min > changed.price_max:
            # "Over 200" after "under 100" takes its place.
            return replace(changed, price_max=None) if "price_min" in given else replace(changed, price_min=None)
        return changed
