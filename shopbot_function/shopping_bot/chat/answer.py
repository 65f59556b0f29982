"""The answer to a customer, made of what Claude said and of the shop's own records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shopping_bot.chat import grounding
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.chat.tools import ASK_USER, MAXIMUM_SHOWN

SEARCH_IS_DOWN = "The product search does not work right now, so I cannot look anything up; please try again later."
NOTHING_TO_SAY = "I am not sure how to help with that; tell me what you would like to buy."
UNFINISHED = "I could not finish looking; please ask again, perhaps in other words."
FOUND = "Here is what I found."
_SHOWN_WITHOUT_A_CHOICE = 5


@dataclass(frozen=True)
class Answer:
    """`response_type` and `content` go to the customer; `text` is what Claude will read of it in later turns.

    `messages` are Claude's and the tools' of this turn, `products` those that its searches returned, and `functions`
    the tools that ran, in order.
    """

    response_type: str
    content: Mapping[str, Any]
    text: str
    messages: Sequence[Mapping[str, Any]] = ()
    products: Mapping[str, Any] = field(default_factory=dict)
    functions: Sequence[str] = ()


class AnswerMaker:
    """Makes the answer of one turn. `customer_texts` are what the customer wrote, `known` what may be shown."""

    def __init__(self, known: KnownProducts, customer_texts: Sequence[str], *, is_search_down: bool) -> None:
        self._known = known
        self._customer_texts = customer_texts
        self._is_search_down = is_search_down

    def from_call(self, call: Mapping[str, Any]) -> Answer:
        """Return the answer that `call`, of a tool that ends the turn, asks for."""
        given = call["input"]
        if call["name"] == ASK_USER:
            return _question(given["question"], given["options"])
        products = self._known.show(given["skus"])
        return self._recommendation(given["summary"], products, given.get("quick_replies", ()))

    def from_text(self, text: str) -> Answer:
        """Return the answer for what Claude said without a tool."""
        text = grounding.tidy(text)
        named = self._known.named_in(text)
        if named:
            # Claude listed products instead of recommending them: show the shop's own record of each.
            return self._recommendation(text, self._known.show(named[:MAXIMUM_SHOWN]))
        if not text and self._known.found:
            return self.from_found()
        if not self._is_true(text, self._known.products()):
            text = NOTHING_TO_SAY
        if self._is_search_down and "search" not in text.lower():
            text = f"{SEARCH_IS_DOWN} {text}".strip()
        return _talk(text)

    def from_found(self) -> Answer:
        """Return what the searches of this turn found; Claude came to no end."""
        if self._known.found:
            return self._recommendation(FOUND, self._known.show(list(self._known.found)[:_SHOWN_WITHOUT_A_CHOICE]))
        return _talk(SEARCH_IS_DOWN if self._is_search_down else UNFINISHED)

    def _recommendation(
        self, summary: str, products: Sequence[Mapping[str, Any]], quick_replies: Sequence[str] = ()
    ) -> Answer:
        """Return products with a summary, which also names those that are out of stock."""
        text = grounding.tidy(summary)
        if not text or not self._is_true(text, products):
            text = FOUND
        gone = [str(product["name"]) for product in products if product.get("in_stock") is False]
        if gone and "out of stock" not in text.lower():
            text += f" Out of stock right now: {', '.join(gone)}."
        replies = [reply for reply in map(grounding.tidy, quick_replies) if reply]
        content = {"summary_message": text, "products": list(products), "quick_replies": replies}
        return Answer("final_answer", content, text)

    def _is_true(self, text: str, products: Sequence[Mapping[str, Any]]) -> bool:
        return grounding.quotes_only(text, products, self._customer_texts)


def _question(question: str, options: Sequence[Mapping[str, str]]) -> Answer:
    shown = [{"label": grounding.tidy(option["label"]), "value": grounding.tidy(option["value"])} for option in options]
    kept = [option for option in shown if option["label"] and option["value"]]
    text = grounding.tidy(question) or NOTHING_TO_SAY
    return Answer("ask_user", {"question": text, "options": kept}, text)


def _talk(text: str) -> Answer:
    """Return words without products: casual, or support_related when they are marked so."""
    is_support, words = grounding.split_support(text)
    words = words or NOTHING_TO_SAY
    return Answer("support_related" if is_support else "casual", {"message": words}, words)
