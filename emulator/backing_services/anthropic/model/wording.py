"""The model's sentences.

No amount of money appears in them that the customer did not write: prices are for the shop to show.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from emulator.backing_services.anthropic.model.records import Record
from emulator.backing_services.anthropic.model.understanding import Kind
from emulator.backing_services.anthropic.model.wish import Wish

TALK: Final[Mapping[Kind, str]] = {
    Kind.GREETING: "Hello! I can help you find something in the shop. What are you looking for?",
    Kind.THANKS: "You're welcome! Tell me when you need anything else from the shop.",
    Kind.FAREWELL: "Goodbye, and happy shopping!",
    Kind.ABOUT: "I am the shop's assistant. I can find products, compare them, and tell you what is in stock.",
    Kind.AGREEMENT: "Happy to help. What would you like to look for?",
    Kind.REFUSAL: "All right. I am here when you would like to look for something.",
    Kind.OFF_TOPIC: "I can only help with this shop's products. Is there something you would like to find?",
    Kind.INJECTION: "I can't do that, but I can help you find something in the shop. What are you looking for?",
    Kind.PURCHASE: "I can't place orders for you; please use the shop's basket. Shall I look for anything else?",
}
SUPPORT: Final = (
    "I can't look into orders, deliveries, payments or returns myself; a person of the shop's support will have to. "
    "Please contact them with your order number."
)
SEARCH_DOWN: Final = "I am sorry, the product search does not work right now. Please try again in a little while."
STOCK_DOWN: Final = "I am sorry, I cannot check the stock right now. Please try again in a little while."
NO_SEARCH: Final = "I can't look up products here, but I am happy to answer questions."
SHOWN: Final = "There you are. Tell me if you would like something cheaper, or something else."
ASKED: Final = "Tell me which you would like."
TROUBLE: Final = "I am sorry, I could not show you the products. Please ask again in other words."
WHICH: Final = "What kind of product would you like?"
_FEW: Final = 5
_RELAXED: Final = {
    "query": "some of your words",
    "category": "the category",
    "price_min": "the lowest price",
    "price_max": "the price limit",
    "dietary_terms": "the dietary wish",
    "avoid_ingredients": "the ingredients to avoid",
    "brands": "the brand",
    "in_stock_only": "being in stock",
}


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as in a sentence: "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}" if names else ""


def described(wish: Wish, numbers: Collection[str]) -> str:
    """Return what was looked for, in words; only `numbers` may be named."""
    thing = wish.query or (wish.category or "products").replace("-", " ")
    words = [*(term.replace("-", " ") for term in wish.dietary if term.replace("-", " ") not in thing), thing]
    if wish.brands:
        words.append(f"by {listed(wish.brands, 'or')}")
    if wish.avoid:
        words.append(f"without {listed(wish.avoid, 'or')}")
    low, high = _said(wish.price_min, numbers), _said(wish.price_max, numbers)
    if low and high:
        words.append(f"between ₹{low} and ₹{high}")
    elif low or high:
        words.append(f"under ₹{high}" if high else f"from ₹{low}")
    return " ".join(words)


def found(
    chosen: Sequence[Record],
    wish: Wish,
    kind: Kind,
    order: Kind | None,
    given_up: Sequence[str],
    numbers: Collection[str],
) -> str:
    """Return why `chosen` are shown."""
    thing = described(wish, numbers)
    several = len(chosen) > 1
    opening = {
        Kind.CHEAPER: "These cost less than most of those before." if several else "This one costs less.",
        Kind.DEARER: "These are of the better sort." if several else "This one is of the better sort.",
        Kind.MORE: f"Here are more {thing}." if several else f"One more I found for {thing}.",
        Kind.SIMILAR: "These are like it." if several else "This one is like it.",
    }.get(kind, f"Here are {len(chosen)} picks for {thing}." if several else f"I found one for {thing}.")
    if given_up:
        opening = f"Nothing fitted all of {thing}, so I left out {_relaxed(given_up)}."
    return " ".join(filter(None, [opening, _reason(chosen, order), out_of_stock(chosen)]))


def out_of_stock(chosen: Sequence[Record]) -> str:
    """Return which of `chosen` cannot be had, "" when all can."""
    gone = [record.name for record in chosen if record.in_stock is False]
    if not gone:
        return ""
    return f"{listed(gone)} {_is(gone)} out of stock right now."


def nothing(wish: Wish, numbers: Collection[str]) -> str:
    """Return that nothing was found."""
    return f"I found no {described(wish, numbers)}. What shall I look for instead?"


def no_more(wish: Wish, numbers: Collection[str]) -> str:
    """Return that everything has been shown."""
    return f"That was everything I found for {described(wish, numbers)}. What else shall I look for?"


def stock(entries: Sequence[Record], names: Mapping[str, Record]) -> str:
    """Return what the inventory says of products."""
    plenty: list[str] = []
    few: list[str] = []
    for entry in entries:
        name = names[entry.id].name if entry.id in names else entry.name
        if entry.in_stock is not False:
            is_scarce = entry.stock is not None and entry.stock <= _FEW
            (few if is_scarce else plenty).append(f"{name} ({entry.stock} left)" if is_scarce else name)
    sentences = [
        f"{listed(there)} {_is(there)} in stock{almost}."
        for there, almost in ((plenty, ""), (few, ", but almost gone"))
        if there
    ]
    gone = [replace(entry, name=names[entry.id].name if entry.id in names else entry.name) for entry in entries]
    return " ".join(filter(None, [*sentences, out_of_stock(gone)])) or "I could not find them in the stock."


def details(record: Record) -> str:
    """Return what the records say of one product."""
    facts = []
    if record.brand:
        facts.append(f"{record.name} is by {record.brand}.")
    if record.ingredients:
        facts.append(f"Ingredients: {', '.join(record.ingredients)}.")
    if record.dietary:
        facts.append(f"It is {listed([term.replace('-', ' ') for term in record.dietary])}.")
    if record.pack_size:
        facts.append(f"Pack: {record.pack_size}.")
    facts.append(out_of_stock([record]))
    facts.append("In case of an allergy please read the label." if record.ingredients else "")
    return " ".join(filter(None, facts)) or f"Here is {record.name}."


def comparison(chosen: Sequence[Record]) -> str:
    """Return how products differ."""
    priced = [record for record in chosen if record.price is not None]
    rated = [record for record in chosen if record.rating is not None]
    sentences = [f"Here are {listed([record.name for record in chosen])}."]
    if len(priced) > 1:
        sentences.append(f"{min(priced, key=lambda record: record.price or 0).name} costs least.")
    if len(rated) > 1:
        sentences.append(f"{max(rated, key=lambda record: record.rating or 0).name} is rated best.")
    return " ".join([*sentences, out_of_stock(chosen)]).strip()


def plain_list(chosen: Sequence[Record]) -> str:
    """Return products as lines, for a request without a tool that shows them."""
    return "\n".join(
        f"- {record.name}" + (f", ₹{record.price}" if record.price is not None else "") for record in chosen
    )


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _reason(chosen: Sequence[Record], order: Kind | None) -> str:
    if len(chosen) < 2:
        return ""
    if order is Kind.CHEAPEST:
        return f"{chosen[0].name} is the cheapest."
    rated = [record for record in chosen if record.rating is not None and record.in_stock is not False]
    if not rated:
        return f"{chosen[0].name} fits best."
    best = max(rated, key=lambda record: record.rating or 0)
    return f"{best.name} is rated best, {best.rating} of 5."


def _relaxed(names: Sequence[str]) -> str:
    return listed([_RELAXED.get(name, name.replace("_", " ")) for name in names])


def _said(amount: Decimal | None, numbers: Collection[str]) -> str | None:
    text = f"{amount.normalize():f}" if amount is not None else None
    return text if text in numbers else None
