"""The tools that Claude may call: what they take, and what the two that look something up return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from shopping_bot import json_schema, json_text, request_metrics
from shopping_bot.backends.elasticsearch import BACKING_SERVICE as CATALOG
from shopping_bot.backends.http import BackingServiceError
from shopping_bot.backends.inventory import Inventory
from shopping_bot.backends.secrets import SecretError
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger
from shopping_bot.search.product_search import INVENTORY, SEARCH_INPUT_SCHEMA, InvalidSearchError

SEARCH_PRODUCTS = "search_products"
GET_STOCK = "get_stock"
ASK_USER = "ask_user"
RECOMMEND = "recommend"
# These two end the turn: the loop makes the answer of their input.
ENDING = (ASK_USER, RECOMMEND)

MAXIMUM_SHOWN = 10


class Search(Protocol):
    """What the tool needs of shopping_bot.search.product_search.ProductSearch."""

    def search(self, arguments: Mapping[str, Any], *, deadline: Deadline) -> dict[str, Any]:
        """Return products with live stock. Raises InvalidSearchError and BackingServiceError."""


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


class Toolbox:
    """Runs search_products and get_stock, whose input is valid by `mistakes`."""

    def __init__(self, search: Search, stock: Inventory) -> None:
        self._search = search
        self._inventory = stock

    def run(self, name: str, arguments: Mapping[str, Any], deadline: Deadline) -> Outcome:
        """Return the outcome of the tool `name`; a backing service that is down is one as well."""
        try:
            return self._find(arguments, deadline) if name == SEARCH_PRODUCTS else self._count(arguments)
        except InvalidSearchError as error:
            return failure(str(error))
        except SecretError as error:
            logger.error("A tool has no key", tool=name, key=error.key)
        except BackingServiceError as error:
            logger.warning("A tool's backing service is down", tool=name, reason=error.reason)
        down = CATALOG if name == SEARCH_PRODUCTS else INVENTORY
        request_metrics.current().degraded.add(down)
        return failure(f"{name} does not work right now; tell the customer so.", down=down)

    def _find(self, arguments: Mapping[str, Any], deadline: Deadline) -> Outcome:
        found = self._search.search(arguments, deadline=deadline)
        request_metrics.current().degraded.update(found.get("degraded", ()))
        return Outcome(found, products={product["sku"]: product for product in found["products"]})

    def _count(self, arguments: Mapping[str, Any]) -> Outcome:
        entries = self._inventory.quantities(arguments["skus"])
        return Outcome(
            {
                "stock": [
                    {
                        "sku": sku,
                        "in_stock": entries[sku].qty > 0,
                        "stock": entries[sku].qty,
                        "price": entries[sku].price,
                    }
                    for sku in arguments["skus"]
                    if sku in entries
                ],
                "unknown": [sku for sku in arguments["skus"] if sku not in entries],
            }
        )


def _text(maximum: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": maximum}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
