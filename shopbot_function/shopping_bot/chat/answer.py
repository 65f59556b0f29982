"""The answers of the bot, each with the words that stand for it in the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shopping_bot.chat import grounding

SEARCH_IS_DOWN = "The product search does not work right now, so I cannot look anything up; please try again later."
NOTHING_TO_SAY = "I am not sure how to help with that; tell me what you would like to buy."
UNFINISHED = "I could not finish looking; please ask again, perhaps in other words."
FOUND = "Here is what I found."


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


def ask_user(question: str, options: Sequence[Mapping[str, str]]) -> Answer:
    """Return a question with its options."""
    shown = [{"label": grounding.tidy(option["label"]), "value": grounding.tidy(option["value"])} for option in options]
    kept = [option for option in shown if option["label"] and option["value"]]
    text = grounding.tidy(question) or NOTHING_TO_SAY
    return Answer("ask_user", {"question": text, "options": kept}, text)


def final_answer(summary: str, products: Sequence[Mapping[str, Any]], quick_replies: Sequence[str]) -> Answer:
    """Return products with a summary, which also names those that are out of stock."""
    text = grounding.tidy(summary) or FOUND
    gone = [str(product["name"]) for product in products if product.get("in_stock") is False]
    if gone and "out of stock" not in text.lower():
        text += f" Out of stock right now: {', '.join(gone)}."
    replies = [reply for reply in map(grounding.tidy, quick_replies) if reply]
    content = {"summary_message": text, "products": list(products), "quick_replies": replies}
    return Answer("final_answer", content, text)


def talk(text: str) -> Answer:
    """Return words without products: casual, or support_related when they are marked so."""
    is_support, words = grounding.split_support(grounding.tidy(text))
    words = words or NOTHING_TO_SAY
    return Answer("support_related" if is_support else "casual", {"message": words}, words)
