"""The tools that Claude may call: what they take, what they do, and the form of what they give back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lambda_http import json_text
from shopping_bot import json_schema, request_metrics
from shopping_bot.backends.elasticsearch import BACKING_SERVICE as ELASTICSEARCH
from shopping_bot.backends.inventory import Inventory
from shopping_bot.chat.known_products import KnownProducts
from shopping_bot.deadline import Deadline
from shopping_bot.search.product_search import INVENTORY, SEARCH_INPUT_SCHEMA, ProductSearch

SEARCH_PRODUCTS = "search_products"
GET_STOCK = "get_stock"
ASK_USER = "ask_user"
RECOMMEND = "recommend"

MAXIMUM_SHOWN = 10
SEARCH_SECONDS = 10.0


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


@dataclass(frozen=True)
class Turn:
    """What the tools of one turn work with."""

    search: ProductSearch
    inventory: Inventory
    known: KnownProducts
    deadline: Deadline


@dataclass(frozen=True)
class Tool:
    """A tool: what Claude is told about it, and what runs with the input that `input_schema` allows.

    `backing_service` is what a tool needs that looks something up. The answer is made of the input of a tool that
    `ends_turn`.
    """

    description: str
    input_schema: Mapping[str, Any]
    run: Callable[[Turn, Mapping[str, Any]], Outcome]
    backing_service: str | None = None
    ends_turn: bool = False


@cache
def definitions() -> list[dict[str, Any]]:
    """Return the tools as the Messages API takes them ("Tool use", "Defining tools")."""
    return [
        {"name": name, "description": tool.description, "input_schema": tool.input_schema}
        for name, tool in TOOLS.items()
    ]


def mistakes(name: str, arguments: Any) -> list[str]:
    """Return why `arguments` cannot be given to the tool `name`; [] when they can."""
    if name in TOOLS:
        return json_schema.mistakes(arguments, TOOLS[name].input_schema)
    return [f"there is no such tool; there are {', '.join(TOOLS)}"]


def _find(turn: Turn, arguments: Mapping[str, Any]) -> Outcome:
    # Claude must still have the time to say something about it.
    found = turn.search.search(arguments, deadline=turn.deadline.within(SEARCH_SECONDS))
    request_metrics.current().degraded.update(found["degraded"])
    return Outcome(found, products={product["sku"]: product for product in found["products"]})


def _count(turn: Turn, arguments: Mapping[str, Any]) -> Outcome:
    entries = turn.inventory.quantities(arguments["skus"], turn.deadline)
    known = {sku: entry for sku in arguments["skus"] if (entry := entries.get(sku))}
    stock = [
        {
            "sku": sku,
            "in_stock": None if entry.qty is None else entry.qty > 0,
            "stock": entry.qty,
            "price": entry.price,
        }
        for sku, entry in known.items()
    ]
    return Outcome({"stock": stock, "unknown": [sku for sku in arguments["skus"] if sku not in known]})


def _ask(_: Turn, __: Mapping[str, Any]) -> Outcome:
    return Outcome({"asked": True})


def _recommend(turn: Turn, arguments: Mapping[str, Any]) -> Outcome:
    shown = [sku for sku in arguments["skus"] if turn.known.has(sku)]
    if not shown:
        return failure("no search of this conversation returned any of these SKUs; search first")
    return Outcome({"shown": shown})


def _text(maximum: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": maximum}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


TOOLS: Mapping[str, Tool] = {
    SEARCH_PRODUCTS: Tool(
        "Find products of the shop, with their price and live stock. Give only the fields that the customer's wish "
        "calls for.",
        SEARCH_INPUT_SCHEMA,
        _find,
        ELASTICSEARCH,
    ),
    GET_STOCK: Tool(
        "Say how many there are right now of products whose SKU is known.",
        _object({"skus": {"type": "array", "items": _text(64), "minItems": 1, "maxItems": 20}}, "skus"),
        _count,
        INVENTORY,
    ),
    ASK_USER: Tool(
        "Ask the customer one question, with options to choose from. Ends your turn.",
        _object(
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
        _ask,
        ends_turn=True,
    ),
    RECOMMEND: Tool(
        "Show products that a search of this conversation returned. Ends your turn.",
        _object(
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
        _recommend,
        ends_turn=True,
    ),
}
"""Every tool by its name, in the order in which Claude is told of them."""
