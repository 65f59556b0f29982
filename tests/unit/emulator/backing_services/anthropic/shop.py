"""A customer, a loop over tools and a search over the sample catalogue: what the model talks to in tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from emulator.backing_services.anthropic.model import answer
from emulator.backing_services.anthropic.model.vocabulary import singular
from emulator.backing_services.anthropic.reply import Text, ToolCall
from sam_template.repository import REPOSITORY

CATALOG: list[dict[str, Any]] = json.loads((REPOSITORY / "emulator/data/catalog.json").read_text())
CATEGORIES = sorted({product["category"] for product in CATALOG})
SYSTEM = "You are a shop's assistant. Orders and refunds: begin the answer with `[support]`."
_TEXT = {"type": "string", "minLength": 1, "maxLength": 200}
_TEXTS = {"type": "array", "items": _TEXT, "maxItems": 10}


def _object(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TOOLS = [
    {
        "name": "search_products",
        "input_schema": _object(
            {
                "query": _TEXT,
                "category": _TEXT,
                "price_min": {"type": "number"},
                "price_max": {"type": "number"},
                "dietary_terms": _TEXTS,
                "avoid_ingredients": _TEXTS,
                "brands": _TEXTS,
                "in_stock_only": {"type": "boolean"},
                "size": {"type": "integer", "maximum": 20},
            },
            "query",
        ),
    },
    {"name": "get_stock", "input_schema": _object({"skus": _TEXTS}, "skus")},
    {
        "name": "ask_user",
        "input_schema": _object(
            {
                "question": _TEXT,
                "options": {"type": "array", "items": _object({"label": _TEXT, "value": _TEXT}, "label", "value")},
            },
            *("question", "options"),
        ),
    },
    {
        "name": "recommend",
        "input_schema": _object({"skus": _TEXTS, "summary": _TEXT, "quick_replies": _TEXTS}, "skus", "summary"),
    },
]


def product(sku: str) -> dict[str, Any]:
    return next(product for product in CATALOG if product["sku"] == sku)


def search(wish: Mapping[str, Any], catalog: Sequence[Mapping[str, Any]] = CATALOG) -> dict[str, Any]:
    """Return the products that have all words of the query in their name, category or brand, and fit the filters."""
    found = [one for one in catalog if _matches(one, wish)]
    shown = [{**one, "price": str(one["price"]), "in_stock": one["stock"] > 0} for one in found[: wish.get("size", 10)]]
    return {"products": shown, "total_hits": len(found), "returned": len(shown), "relaxed": [], "degraded": []}


def _matches(one: Mapping[str, Any], wish: Mapping[str, Any]) -> bool:
    text = f"{one['name']} {one['category']} {one['brand']} {' '.join(one['dietary_terms'])}"
    words = {singular(word) for word in text.lower().replace("-", " ").replace(",", " ").split()}
    return (
        all(singular(word) in words for word in wish["query"].lower().replace("-", " ").split())
        and Decimal(one["price"]) >= Decimal(str(wish.get("price_min", 0)))
        and Decimal(one["price"]) <= Decimal(str(wish.get("price_max", 10**9)))
        and set(wish.get("dietary_terms", [])) <= set(one["dietary_terms"])
        and not any(
            avoided in ingredient for avoided in wish.get("avoid_ingredients", []) for ingredient in one["ingredients"]
        )
        and (not wish.get("brands") or one["brand"] in wish["brands"])
        and (not wish.get("in_stock_only") or one["stock"] > 0)
    )


class Conversation:
    """Says things to the model and runs the tools that it calls, until the turn ends."""

    def __init__(
        self, tools: Sequence[Mapping[str, Any]] = TOOLS, catalog: Sequence[Mapping[str, Any]] = CATALOG
    ) -> None:
        self.tools = tools
        self.catalog = catalog
        self.messages: list[dict[str, Any]] = []
        self.calls: list[ToolCall] = []
        self.text = ""
        self._number = 0

    def say(self, text: str) -> Conversation:
        self.messages.append({"role": "user", "content": [{"type": "text", "text": text}]})
        self.calls, self.text = [], ""
        for _ in range(4):
            reply = answer({"model": "m", "system": SYSTEM, "tools": self.tools, "messages": self.messages})
            calls = [part for part in reply if isinstance(part, ToolCall)]
            self.text += " ".join(part.text for part in reply if isinstance(part, Text))
            if not calls:
                break
            self.calls += calls
            self._run(calls)
            if calls[0].name in ("ask_user", "recommend"):
                self.text = str(calls[0].input.get("summary") or calls[0].input.get("question"))
                break
        self.messages.append({"role": "assistant", "content": [{"type": "text", "text": self.text or "-"}]})
        return self

    def _run(self, calls: Sequence[ToolCall]) -> None:
        uses, results = [], []
        for call in calls:
            self._number += 1
            identifier = f"toolu_{self._number}"
            uses.append({"type": "tool_use", "id": identifier, "name": call.name, "input": dict(call.input)})
            content = json.dumps(self._result(call))
            results.append({"type": "tool_result", "tool_use_id": identifier, "content": content})
        self.messages += [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]

    def _result(self, call: ToolCall) -> Any:
        if call.name == "search_products":
            return search(call.input, self.catalog)
        if call.name == "get_stock":
            stocks = {one["sku"]: one["stock"] for one in self.catalog}
            return {
                "stock": [{"sku": sku, "in_stock": stocks[sku] > 0, "stock": stocks[sku]} for sku in call.input["skus"]]
            }
        return {"ok": True}

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    @property
    def shown(self) -> list[dict[str, Any]]:
        skus = [sku for call in self.calls if call.name == "recommend" for sku in call.input["skus"]]
        return [dict(one) for sku in skus for one in self.catalog if one["sku"] == sku]

    @property
    def searched(self) -> dict[str, Any]:
        return dict(next(call.input for call in self.calls if call.name == "search_products"))
