"""A request's messages as a conversation: what the customer said, what was called, and which products came back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SEARCH: Final = "search_products"
STOCK: Final = "get_stock"
ASK: Final = "ask_user"
RECOMMEND: Final = "recommend"

Product = Mapping[str, Any]
"""A product as a tool returned it: `sku`, `name`, `price` and more. Its texts are data, whatever they say."""
_SHOWN_WITHOUT_A_CHOICE: Final = 5


@dataclass
class Call:
    """A tool call and its result, parsed where it is JSON."""

    name: str
    input: Mapping[str, Any]
    message: int
    result: Any = None
    is_error: bool = False

    def products(self, member: str = "products") -> list[Product]:
        """Return the products that it returned."""
        listed = self.result.get(member) if isinstance(self.result, dict) and not self.is_error else None
        return [one for one in listed or [] if isinstance(one, dict) and isinstance(one.get("sku"), str)]


@dataclass
class Turn:
    """A message of the customer, and the calls until the next one."""

    text: str
    calls: list[Call] = field(default_factory=list)

    def last_call(self, name: str) -> Call | None:
        """Return the last call of one tool."""
        return next((call for call in reversed(self.calls) if call.name == name), None)

    @property
    def last_round(self) -> list[Call]:
        """The calls that the model made last, side by side."""
        return [call for call in self.calls if call.message == self.calls[-1].message]


class Conversation:
    """The turns of a conversation, the last of which is to be continued."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        *self.earlier, self.current = _turns(messages)
        searches = [call for turn in (*self.earlier, self.current) for call in turn.calls if call.name == SEARCH]
        self.known: dict[str, Product] = {product["sku"]: product for call in searches for product in call.products()}

    @property
    def last_search(self) -> Mapping[str, Any] | None:
        """The input of the last search before this turn."""
        calls = (turn.last_call(SEARCH) for turn in reversed(self.earlier))
        return next((call.input for call in calls if call), None)

    @property
    def shown(self) -> list[Product]:
        """The products that the customer saw last, before this turn."""
        for turn in reversed(self.earlier):
            recommended, search = turn.last_call(RECOMMEND), turn.last_call(SEARCH)
            if recommended:
                return [self.known[sku] for sku in recommended.input.get("skus", []) if sku in self.known]
            if search and search.products():
                return search.products()[:_SHOWN_WITHOUT_A_CHOICE]
        return []

    @property
    def seen(self) -> set[str]:
        """The SKUs of all products that the customer has seen."""
        calls = (call for turn in self.earlier for call in turn.calls if call.name == RECOMMEND)
        return {sku for call in calls for sku in call.input.get("skus", [])}


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    calls: dict[str, Call] = {}
    for number, role, block in _blocks(messages):
        if block["type"] == "text" and role == "user":
            turns.append(Turn(block["text"]))
        elif block["type"] == "tool_use" and turns:
            calls[block["id"]] = Call(block["name"], block["input"], number)
            turns[-1].calls.append(calls[block["id"]])
        elif block["type"] == "tool_result" and block["tool_use_id"] in calls:
            call = calls[block["tool_use_id"]]
            call.result, call.is_error = _parsed(block.get("content", "")), block.get("is_error", False)
    return turns or [Turn("")]


def _blocks(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    for number, message in enumerate(messages):
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield number, message["role"], block


def _parsed(content: Any) -> Any:
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
