"""A request's messages as a dialogue: what the customer said, what was called and came back, what was answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.backing_services.anthropic.model.records import Record, by_id, parse, records
from emulator.backing_services.anthropic.model.toolset import RECOMMEND, SEARCH

_READ_CHARACTERS: Final = 4000
"""The model reads this much of a message."""
_ENVELOPE: Final = re.compile(r"(?s)<(\w*(?:message|customer|user|query)\w*)>(.*?)</\1>")
_TAG: Final = re.compile(r"</?\w[^>]*>")


@dataclass
class Call:
    """A tool call and its result."""

    name: str
    input: Mapping[str, Any]
    round: int
    result: Any = None
    is_error: bool = False

    @property
    def products(self) -> list[Record]:
        """The products that it returned."""
        return [] if self.is_error else records(self.result)


@dataclass
class Turn:
    """A message of the customer, and everything until the next one."""

    text: str
    calls: list[Call] = field(default_factory=list)
    words: str = ""

    def of(self, name: str) -> list[Call]:
        """Return the calls of one tool that worked."""
        return [call for call in self.calls if call.name == name and not call.is_error]

    @property
    def last_round(self) -> list[Call]:
        """The calls that the model made last."""
        return [call for call in self.calls if call.round == self.calls[-1].round]


class Dialogue:
    """The turns of a conversation, the last of which is to be continued."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        self.turns = _turns(messages)

    @property
    def current(self) -> Turn:
        """The turn that the model is in."""
        return self.turns[-1]

    @property
    def earlier(self) -> list[Turn]:
        """The turns before."""
        return self.turns[:-1]

    @property
    def known(self) -> dict[str, Record]:
        """Every product that a search returned, by id."""
        calls = (call for turn in self.turns for call in turn.of(SEARCH))
        return by_id(record for call in calls for record in call.products)

    def shown(self) -> list[Record]:
        """Return the products that the customer saw last, before this turn."""
        for turn in reversed(self.earlier):
            found = by_id(record for call in turn.of(SEARCH) for record in call.products)
            for call in reversed(turn.of(RECOMMEND)):
                return [self.known[one] for one in _strings(call.input) if one in self.known]
            if found:
                return list(found.values())[:5]
        return []

    def seen(self) -> set[str]:
        """Return the ids of all products that the customer has seen."""
        ids = {one for turn in self.earlier for call in turn.of(RECOMMEND) for one in _strings(call.input)}
        return ids & set(self.known)

    def customer_numbers(self) -> set[str]:
        """Return the numbers that the customer wrote."""
        return {digits.replace(",", "") for turn in self.turns for digits in re.findall(r"\d[\d,]*", turn.text)}


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    open_calls: dict[str, Call] = {}
    for number, message in enumerate(messages):
        for block in _blocks(message):
            kind = block["type"]
            if message["role"] == "user" and kind == "text":
                turns.append(Turn(_said(block["text"])))
            elif not turns:
                continue
            elif kind == "text" and message["role"] == "assistant":
                turns[-1].words = f"{turns[-1].words} {block['text']}".strip()
            elif kind == "tool_use":
                open_calls[block["id"]] = Call(block["name"], block["input"], number)
                turns[-1].calls.append(open_calls[block["id"]])
            elif kind == "tool_result" and block["tool_use_id"] in open_calls:
                call = open_calls.pop(block["tool_use_id"])
                call.result, call.is_error = parse(block.get("content")), bool(block.get("is_error"))
    return turns or [Turn("")]


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message["content"]
    if message["role"] == "system":
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _said(text: str) -> str:
    """Return what the customer wrote, taken out of an envelope of tags or JSON."""
    text = text[:_READ_CHARACTERS]
    envelope = _ENVELOPE.search(text)
    if envelope:
        text = envelope[2]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _TAG.sub(" ", text).strip()
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        return str(value["message"])
    return text


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        yield from _strings(member)
