"""The model's sentences. No amount of money appears in them that the customer did not write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.backing_services.anthropic.model.conversation import SEARCH, STOCK, Product
from emulator.backing_services.anthropic.model.intent import Kind

TALK: Final[Mapping[Kind, str]] = {
    Kind.GREETING: "Hello! I can help you find something in the shop. What are you looking for?",
    Kind.THANKS: "You're welcome! Tell me when you would like to look for something in the shop.",
    Kind.ABOUT: "I am the shop's assistant. I can find products and tell you what is in stock.",
    Kind.OFF_TOPIC: "I can only help with this shop's products. Is there something you would like to find?",
}
SUPPORT: Final = (
    "I can't look into orders, deliveries, payments or returns myself; a person of the shop's support will have to. "
    "Please contact them with your order number."
)
DOWN: Final = {
    SEARCH: "I am sorry, the product search does not work right now. Please try again in a little while.",
    STOCK: "I am sorry, I cannot check the stock right now. Please try again in a little while.",
}
TROUBLE: Final = "I am sorry, I could not show you the products. Please ask again in other words."
OTHER_TOOLS: Final = (
    "This is the emulator's model, not Claude: it plays an assistant with the tools {}, and calls no others."
)
NO_TOOLS: Final = "I can't look up products here, but I am happy to answer questions."
ENDED: Final = "There you are. Tell me if you would like something else."
WHICH: Final = "What kind of product would you like?"
NO_MORE: Final = "That was everything I found. What else shall I look for?"
OPTIONS: Final = ("Chips", "Chocolate", "Tea and coffee", "Staples", "Skin care")
_OPENINGS: Final[Mapping[Kind, str]] = {
    Kind.CHEAPER: "These cost less than most of those before.",
    Kind.MORE: "Here is more of it.",
    Kind.SIMILAR: "These are like it.",
}
_RELAXED: Final = {
    "query": "some of your words",
    "category": "the category",
    "price_min": "the lowest price",
    "price_max": "the price limit",
    "brands": "the brand",
    "in_stock_only": "being in stock",
}


def found(kind: Kind, words: str, chosen: Sequence[Product], relaxed: Sequence[str]) -> str:
    """Return why `chosen` are shown, for the customer's `words`."""
    opening = _OPENINGS.get(kind) or f"Here is what I found for “{words}”."
    if relaxed:
        given_up = _listed([_RELAXED.get(name, name) for name in relaxed])
        opening = f"Nothing fitted all of “{words}”, so I left out {given_up}."
    rated = [one for one in chosen if one.get("rating") is not None and one.get("in_stock") is not False]
    best = max(rated, key=lambda one: float(one["rating"]), default=None)
    reason = f"{best['name']} is rated best, {best['rating']} of 5." if best and len(chosen) > 1 else ""
    return " ".join(filter(None, [opening, reason, out_of_stock(chosen)]))


def nothing(words: str) -> str:
    """Return that nothing was found."""
    return f"I found nothing for “{words}”. What shall I look for instead?"


def nothing_cheaper(cheapest: Product) -> str:
    """Return that the cheapest product was shown already."""
    return f"I found nothing cheaper: {cheapest['name']} is the cheapest of them."


def stock(entries: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return what the inventory says of products."""
    there = [names.get(entry["sku"], entry["sku"]) for entry in entries if entry.get("in_stock")]
    gone = [{"name": names.get(entry["sku"], entry["sku"]), "in_stock": entry.get("in_stock")} for entry in entries]
    in_stock = f"{_listed(there)} {_is(there)} in stock." if there else ""
    return " ".join(filter(None, [in_stock, out_of_stock(gone)])) or "I could not find them in the stock."


def details(product: Product) -> str:
    """Return what the records say of one product."""
    facts = [f"{product['name']} is by {product['brand']}." if product.get("brand") else ""]
    if product.get("dietary_terms"):
        facts.append(f"It is {_listed([term.replace('-', ' ') for term in product['dietary_terms']])}.")
    if product.get("pack_size"):
        facts.append(f"Pack: {product['pack_size']}.")
    facts.append("In case of an allergy please read the label.")
    return " ".join(filter(None, [*facts, out_of_stock([product])]))


def out_of_stock(products: Sequence[Product]) -> str:
    """Return which of `products` cannot be had, "" when all can."""
    gone = [str(one["name"]) for one in products if one.get("in_stock") is False]
    return f"{_listed(gone)} {_is(gone)} out of stock right now." if gone else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
