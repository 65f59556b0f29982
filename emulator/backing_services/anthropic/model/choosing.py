"""Which of the found products to show, and what to offer next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from statistics import median
from typing import Any, Final

from emulator.backing_services.anthropic.model.records import Record
from emulator.backing_services.anthropic.model.understanding import Kind
from emulator.backing_services.anthropic.model.vocabulary import GENERAL_CHOICE, UMBRELLAS, same, singular
from emulator.backing_services.anthropic.model.wish import Wish

USUAL_NUMBER: Final = 5
GREATEST_NUMBER: Final = 10
_ENOUGH_IN_STOCK: Final = 3
_RUPEE: Final = Decimal(1)


def choose(found: Sequence[Record], wish: Wish, order: Kind | None, given_up: Collection[str]) -> list[Record]:
    """Return the products to show, what can be bought first."""
    fitting = [record for record in found if _fits(record, wish, given_up)]
    if order is Kind.CHEAPEST:
        fitting.sort(key=lambda record: record.price if record.price is not None else Decimal("Infinity"))
    elif order is Kind.BEST:
        fitting.sort(key=lambda record: -(record.rating or 0))
    number = min(wish.size or USUAL_NUMBER, GREATEST_NUMBER)
    chosen, others = fitting[:number], fitting[number:]
    lacking = _ENOUGH_IN_STOCK - sum(record.in_stock is not False for record in chosen)
    if lacking > 0 and wish.size is None:
        chosen += [record for record in others if record.in_stock is not False][:lacking]
    return sorted(chosen, key=lambda record: record.in_stock is False)


def _fits(record: Record, wish: Wish, given_up: Collection[str]) -> bool:
    if record.price is None:
        return True
    too_dear = wish.price_max is not None and "price_max" not in given_up and record.price > wish.price_max
    too_cheap = wish.price_min is not None and "price_min" not in given_up and record.price < wish.price_min
    return not (too_dear or too_cheap)


def below(shown: Sequence[Record]) -> Decimal | None:
    """Return a limit under which fewer than half of `shown` are; None when no price is known."""
    prices = [record.price for record in shown if record.price is not None]
    return (median(prices) / _RUPEE).to_integral_value(rounding="ROUND_CEILING") - 1 if prices else None


def above(shown: Sequence[Record]) -> Decimal | None:
    """Return a limit over which fewer than half of `shown` are; None when no price is known."""
    prices = [record.price for record in shown if record.price is not None]
    return (median(prices) / _RUPEE).to_integral_value(rounding="ROUND_FLOOR") + 1 if prices else None


def cheapest(shown: Sequence[Record]) -> Record | None:
    """Return the product with the lowest price."""
    return min((one for one in shown if one.price is not None), key=lambda one: one.price or 0, default=None)


def best(shown: Sequence[Record]) -> Record | None:
    """Return the product that can be bought and is rated best."""
    available = [record for record in shown if record.in_stock is not False] or list(shown)
    return max(available, key=lambda record: (record.rating or 0, record.quality or 0), default=None)


def referred(shown: Sequence[Record], places: Sequence[int], words: str = "") -> list[Record]:
    """Return the products at `places`, or those whose names hold all of `words`."""
    at_places = [shown[place] for place in places if -len(shown) <= place < len(shown)]
    if at_places or not words:
        return at_places
    wanted = {singular(word) for word in words.split()}
    return [record for record in shown if wanted <= {singular(word) for word in record.name.lower().split()}]


def category_options(umbrella: str | None, categories: Sequence[str]) -> list[dict[str, str]]:
    """Return three to five kinds of products to choose from, of the shop's `categories` where they are known."""
    wanted = UMBRELLAS.get(umbrella or "", GENERAL_CHOICE)
    names = [name for name in wanted if not categories or any(same(name, other) for other in categories)]
    others = [name for name in (categories or GENERAL_CHOICE) if not any(same(name, taken) for taken in names)]
    names += others[: max(0, 3 - len(names))]
    return [{"label": _title(name), "value": name.replace("-", " ")} for name in names[:5]]


def retry_options(wish: Wish, categories: Sequence[str]) -> list[dict[str, str]]:
    """Return what to try when nothing was found."""
    thing = wish.query or (wish.category or "").replace("-", " ")
    options = []
    if thing and (wish.price_max is not None or wish.price_min is not None):
        options.append({"label": "At any price", "value": f"{thing} at any price"})
    if thing and (wish.dietary or wish.avoid or wish.brands):
        options.append({"label": f"Any {thing}"[:60], "value": f"Show me any {thing}"})
    others = [option for option in category_options(None, categories) if not same(option["value"], thing)]
    return [*options, *others][:5]


def quick_replies(chosen: Sequence[Record], wish: Wish) -> list[str]:
    """Return what the customer may want to say next."""
    replies = ["Cheaper ones"] if len(chosen) > 1 else []
    if any(record.in_stock is False for record in chosen) and not wish.in_stock_only:
        replies.append("Only in stock")
    if "vegan" not in wish.dietary and 0 < sum("vegan" in record.dietary for record in chosen) < len(chosen):
        replies.append("What about vegan?")
    if len(chosen) > 1:
        replies.append("More like the first one")
    return [*replies, "Show me more"][:4]


def _title(name: str) -> str:
    text: Any = name.replace("tea-coffee", "tea and coffee").replace("oils-ghee", "oils and ghee").replace("-", " ")
    return str(text).capitalize()
