"""A customer, a loop over tools and a search over the sample catalogue: what the model talks to in tests.

The search reads its input as the assistant's own does; a product matches that has every word in its record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shopping_bot.chat import tools as shop_tools
from shopping_bot.search import ingredient_names
from shopping_bot.search import query as search_query

from emulator.backing_services.anthropic.message import Text, ToolCall
from emulator.backing_services.anthropic.model import reply_to
from sam_template.repository import CATALOG as CATALOG_FILE

CATALOG: list[dict[str, Any]] = json.loads(CATALOG_FILE.read_text(encoding="utf-8"))
CATEGORIES = sorted({product["category"] for product in CATALOG})
SYSTEM = "You are a shop's assistant. Orders and refunds: begin the answer with `[support]`."
TOOLS = shop_tools.definitions()


def product(sku: str) -> dict[str, Any]:
    return next(product for product in CATALOG if product["sku"] == sku)


def search(arguments: Mapping[str, Any], catalog: Sequence[Mapping[str, Any]] = CATALOG) -> dict[str, Any]:
    wish = search_query.read(arguments)
    found = [one for one in catalog if _matches(one, wish)]
    shown = [{**one, "price": float(one["price"]), "in_stock": one["stock"] > 0} for one in found[: wish.size]]
    return {"products": shown, "total_hits": len(found), "returned": len(shown), "relaxed": [], "degraded": []}


def _matches(one: Mapping[str, Any], wish: search_query.Search) -> bool:
    text = f"{one['name']} {one['category']} {one['brand']}".lower().replace("-", " ").replace(",", " ")
    words = {ingredient_names.singular(word) for word in text.split()}
    return (
        all(ingredient_names.singular(word) in words for word in wish.words)
        and wish.category in (None, one["category"])
        and wish.admits(Decimal(one["price"]))
        and set(wish.dietary_terms) <= set(one["dietary_terms"])
        and not any(avoided in ingredient for avoided in wish.avoid_ingredients for ingredient in one["ingredients"])
        and (not wish.in_stock_only or one["stock"] > 0)
    )


class Customer:
    """Says things to the model and runs the tools that it calls, until the turn ends."""

    def __init__(self, catalog: Sequence[Mapping[str, Any]] = CATALOG) -> None:
        self.catalog = catalog
        self.messages: list[dict[str, Any]] = []
        self.calls: list[ToolCall] = []
        self.text = ""
        self._number = 0

    def say(self, text: str) -> Customer:
        self.messages.append({"role": "user", "content": [{"type": "text", "text": text}]})
        self.calls, self.text = [], ""
        for _ in range(4):
            reply = reply_to({"model": "m", "system": SYSTEM, "tools": TOOLS, "messages": self.messages})
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
            assert shop_tools.mistakes(call.name, dict(call.input)) == []
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
