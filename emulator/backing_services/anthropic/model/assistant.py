"""From a request to a reply: the first step of a turn, and what follows on the results of tools."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.backing_services.anthropic.message import Reply, Text, ToolCall
from emulator.backing_services.anthropic.model import wording
from emulator.backing_services.anthropic.model.conversation import (
    ASK,
    RECOMMEND,
    SEARCH,
    STOCK,
    Call,
    Conversation,
    Product,
)
from emulator.backing_services.anthropic.model.intent import Intent, Kind, understand

_TOOLS: Final = frozenset({ASK, RECOMMEND, SEARCH, STOCK})
_SHOWN: Final = 5
_QUERY_CHARACTERS: Final = 200
_LARGEST_SIZE: Final = 20
_SUPPORT_MARK: Final = "[support]"
_PRICE: Final = re.compile(r"(?:\b[a-z]+ (?:than )?)?(?:₹|rs\.?|inr)? ?\d[\d,.]*k?(?: (?:rupees?|rs|inr)\b)?")


def reply_to(request: Mapping[str, Any]) -> Reply:
    """Return what the model says next in the conversation of `request`."""
    tools = {tool["name"] for tool in request.get("tools", [])}
    if tools and not tools & _TOOLS:
        return [Text(wording.OTHER_TOOLS.format(", ".join(sorted(_TOOLS))))]
    conversation = Conversation(request["messages"])
    intent = understand(conversation)
    reply = _continue(conversation, intent) if conversation.current.calls else _begin(conversation, intent)
    if intent.kind is Kind.SUPPORT and _SUPPORT_MARK in str(request.get("system")):
        return [Text(f"{_SUPPORT_MARK} {wording.SUPPORT}")]
    return [part if isinstance(part, Text) or part.name in tools else Text(wording.NO_TOOLS) for part in reply]


def _begin(conversation: Conversation, intent: Intent) -> Reply:
    """Return the first step on a message of the customer."""
    if intent.kind in wording.TALK:
        return [Text(wording.TALK[intent.kind])]
    if intent.kind is Kind.SUPPORT:
        return [Text(wording.SUPPORT)]
    if intent.kind is Kind.VAGUE:
        return _ask(wording.WHICH)
    named = intent.named or conversation.shown
    if intent.kind is Kind.STOCK:
        return [ToolCall(STOCK, {"skus": [product["sku"] for product in named]})]
    if intent.kind is Kind.DETAILS:
        return _show(named[:1], wording.details(named[0]))
    return [ToolCall(SEARCH, _search_input(conversation, intent))]


def _search_input(conversation: Conversation, intent: Intent) -> dict[str, Any]:
    """Return the input of a search: the customer's words, behind those of the last search when they only change it."""
    before = dict(conversation.last_search or {})
    before.pop("size", None)
    if intent.kind is Kind.CHEAPER:
        from statistics import median

        prices = [float(product["price"]) for product in conversation.shown if product.get("price") is not None]
        # Fewer than half of what was shown cost so little.
        return {**before, "price_max": math.ceil(median(prices)) - 1} if prices else before
    if intent.kind is Kind.MORE:
        return {**before, "size": min(len(conversation.seen) + _SHOWN, _LARGEST_SIZE)}
    if intent.kind is Kind.SIMILAR:
        category = str((intent.named or conversation.shown)[0].get("category", ""))
        return {"query": category.replace("-", " ") or "popular", **({"category": category} if category else {})}
    if intent.kind is not Kind.REFINE:
        return {"query": conversation.current.text.strip()[:_QUERY_CHARACTERS]}
    query = str(before.get("query", ""))
    if _PRICE.search(intent.words):
        query = " ".join(_PRICE.sub(" ", query).split())
        before = {name: value for name, value in before.items() if not name.startswith("price_")}
    return {**before, "query": f"{query} {intent.words}".strip()[:_QUERY_CHARACTERS]}


def _continue(conversation: Conversation, intent: Intent) -> Reply:
    """Return what follows on the results of the last round of calls."""
    calls = conversation.current.last_round
    call = next((call for call in calls if call.is_error), calls[-1])
    if call.is_error:
        return [Text(wording.DOWN.get(call.name, wording.TROUBLE))]
    if call.name == SEARCH:
        return _present(conversation, intent, call)
    if call.name == STOCK:
        entries = call.products("stock")
        names = {sku: str(product["name"]) for sku, product in conversation.known.items()}
        known = [conversation.known[entry["sku"]] for entry in entries if entry["sku"] in conversation.known]
        told = wording.stock(entries, names)
        return _show(known, told) if known else [Text(told)]
    return [Text(wording.ENDED)]


def _present(conversation: Conversation, intent: Intent, search: Call) -> Reply:
    products, relaxed = search.products(), list(search.result.get("relaxed", []) if search.products() else [])
    if intent.kind is Kind.CHEAPER:
        # A limit that the search gave up would bring the same products again.
        limit = float(search.input.get("price_max", math.inf))
        products = sorted((product for product in products if _price(product) <= limit), key=_price)
        relaxed = [name for name in relaxed if name != "price_max"]
        if not products:
            cheapest = min(conversation.shown, key=_price)
            return _show([cheapest], wording.nothing_cheaper(cheapest))
    if intent.kind is Kind.MORE:
        products = [product for product in products if product["sku"] not in conversation.seen]
    if intent.kind is Kind.SIMILAR:
        example = (intent.named or conversation.shown)[0]
        products = [product for product in products if product["sku"] != example["sku"]]
    chosen = sorted(products[:_SHOWN], key=lambda product: product.get("in_stock") is False)
    words = str(search.input.get("query", intent.words))
    if not chosen:
        return _ask(wording.NO_MORE if intent.kind is Kind.MORE else wording.nothing(words))
    return _show(chosen, wording.found(intent.kind, words, chosen, relaxed))


def _show(products: Sequence[Product], summary: str) -> Reply:
    replies = ["Cheaper ones", "More like the first one"] if len(products) > 1 else []
    if any(product.get("in_stock") is False for product in products):
        replies.append("Only in stock")
    if 0 < sum("vegan" in (product.get("dietary_terms") or ()) for product in products) < len(products):
        replies.append("What about vegan?")
    skus = [product["sku"] for product in products]
    shown = {"skus": skus, "summary": summary, "quick_replies": [*replies[:3], "Show me more"]}
    return [ToolCall(RECOMMEND, shown)]


def _ask(question: str) -> Reply:
    options = [{"label": label, "value": label.lower()} for label in wording.OPTIONS]
    return [ToolCall(ASK, {"question": question, "options": options})]


def _price(product: Product) -> float:
    return float(product["price"]) if product.get("price") is not None else math.inf
