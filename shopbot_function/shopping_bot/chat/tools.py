"""The tools that Claude may call: what they take, and the form of what they give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lambda_http import json_text
from shopping_bot import json_schema
from shopping_bot.search.product_search import SEARCH_INPUT_SCHEMA

SEARCH_PRODUCTS = "search_products"
GET_STOCK = "get_stock"
ASK_USER = "ask_user"
RECOMMEND = "recommend"
# These two end the turn: the answer is made of their input.
ENDING = (ASK_USER, RECOMMEND)

MAXIMUM_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """What a tool gives back to Claude, and the products in it by SKU.

    `down` is a backing service that did not answer.
    """

    content: Any
    is_error: bool = False
    products: Mapping[str, Any] = field(default_factory=dict)
    down: str | None = None

    def block(self, use: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tool_result block for the tool_use block `use`.

        The content is JSON text: whatever a product's description says, it stays inside a JSON string.
        """
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": json_text.dump(self.content)}
        return {**result, "is_error": True} if self.is_error else result


def failure(sentence: str, down: str | None = None) -> Outcome:
    """Return the outcome of a call that did not work."""
    return Outcome({"error": sentence}, is_error=True, down=down)


@cache
def definitions() -> list[dict[str, Any]]:
    """Return the tools as the Messages API takes them ("Tool use", "Defining tools")."""
    return [
        {
            "name": SEARCH_PRODUCTS,
            "description": "Find products of the shop, with their price and live stock. Give only the fields that the "
            "customer's wish calls for.",
            "input_schema": SEARCH_INPUT_SCHEMA,
        },
        {
            "name": GET_STOCK,
            "description": "Say how many there are right now of products whose SKU is known.",
            "input_schema": _object(
                {"skus": {"type": "array", "items": _text(64), "minItems": 1, "maxItems": 20}}, "skus"
            ),
        },
        {
            "name": ASK_USER,
            "description": "Ask the customer one question, with options to choose from. Ends your turn.",
            "input_schema": _object(
                {
                    "question": _text(500),
                    "options": {
                        "type": "array",
                        "description": "`label` is on the button, `value` is what the customer says by pressing it.",
                        "items": _object({"label": _text(60), "value": _text(200)}, "label", "value"),
                        "minItems": 1,
                        "maxItems": 8,
                    },
                },
                *("question", "options"),
            ),
        },
        {
            "name": RECOMMEND,
            "description": "Show products that a search of this conversation returned. Ends your turn.",
            "input_schema": _object(
                {
                    "skus": {"type": "array", "items": _text(64), "minItems": 1, "maxItems": MAXIMUM_SHOWN},
                    "summary": {**_text(1000), "description": "Why they fit, in one or two sentences."},
                    "quick_replies": {
                        "type": "array",
                        "description": "What the customer may want to say next, such as “Cheaper ones”.",
                        "items": _text(60),
                        "maxItems": 4,
                    },
                },
                *("skus", "summary"),
            ),
        },
    ]


def mistakes(name: str, arguments: Any) -> list[str]:
    """Return why `arguments` cannot be given to the tool `name`; [] when they can."""
    for definition in definitions():
        if definition["name"] == name:
            return json_schema.mistakes(arguments, definition["input_schema"])
    names = ", ".join(definition["name"] for definition in definitions())
    return [f"there is no such tool; there are {names}"]


def _text(maximum: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": maximum}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
