"""What is kept of a conversation, and what Claude and the customer get to see of it again.

There are two kinds of entries, each written once: a customer's message, and the answer to one. A message may have no
answer: it came while another was being answered, or the answer failed. It is then told to Claude with the next one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shopping_bot.chat.answer import Answer

Entry = dict[str, Any]
Message = dict[str, Any]

# How much of the past Claude reads: whole, with its tool calls; and as text only.
WHOLE_ANSWERS = 3
REMEMBERED_ANSWERS = 10
UNANSWERED = 3
_KEPT_BLOCKS = ("text", "tool_use", "tool_result")


@dataclass(frozen=True)
class Past:
    """A conversation as the bot core takes it, ending with the customer's message that is to be answered.

    `messages` are those of the Messages API; `products` every product that a search of the conversation returned, by
    SKU, the latest record of each; `customer_texts` what the customer wrote, the last message included. `is_first`
    tells whether nothing was said before.
    """

    messages: list[Message]
    products: dict[str, Any]
    customer_texts: list[str]
    is_first: bool

    def without_messages(self) -> Past:
        """Return this past with none of its messages but the last one of the customer."""
        return replace(self, messages=_messages([], self.customer_texts[-1]), is_first=True)


def past(entries: Sequence[Entry], text: str) -> Past:
    """Return what the bot core needs of `entries`, what was said before, to answer the customer's `text`."""
    products: dict[str, Any] = {}
    for entry in entries:
        products |= entry.get("products", {})
    said = [entry["text"] for entry in entries if entry.get("role") == "user"]
    return Past(_messages(entries, text), products, [*said, text], is_first=not entries)


def customer_entry(text: str) -> Entry:
    """Return the entry of a customer's message."""
    return {"id": secrets.token_hex(8), "role": "user", "text": text, "at": now()}


def answer_entry(asked: Mapping[str, Any], answer: Answer) -> Entry:
    """Return the entry of `answer`, which answers the entry `asked`.

    Claude's thinking is not kept: each block of it is valid only behind the very messages that it was thought behind,
    and the next turn tells them anew (Claude Platform documentation, "Prefix checks on thinking blocks").
    """
    return {
        "role": "assistant",
        "to": asked["id"],
        "at": now(),
        "response_type": answer.response_type,
        "content": dict(answer.content),
        "text": answer.text,
        "messages": [
            {**message, "content": [block for block in message["content"] if block["type"] in _KEPT_BLOCKS]}
            for message in answer.messages
        ],
        "products": dict(answer.products),
    }


def turns(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return the conversation for its customer, oldest first, each answer after its message."""
    answers = {entry["to"]: entry for entry in entries if entry.get("role") == "assistant"}
    repeated = _repeated(entries)
    shown: list[dict[str, Any]] = []
    for entry in entries:
        if entry.get("role") != "user" or entry["id"] in repeated:
            continue
        shown.append({"role": "user", "content": entry["text"], "at": entry["at"]})
        answer = answers.get(entry["id"])
        if answer is not None:
            content = {"response_type": answer["response_type"], "content": answer["content"]}
            shown.append({"role": "assistant", "content": content, "at": answer["at"]})
    return shown


def now() -> str:
    """Return the present in RFC 3339 with milliseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _messages(entries: Sequence[Entry], text: str) -> list[Message]:
    """Return the conversation as messages of the Messages API, ending with the customer's `text`.

    Roles alternate, the first is the user's, and every tool call has its result, whatever a cap has cut off.
    """
    answers = {entry["to"]: entry for entry in entries if entry.get("role") == "assistant"}
    asked = [entry for entry in entries if entry.get("role") == "user"]
    answered = [entry["id"] for entry in asked if entry["id"] in answers]
    recent = set(answered[-REMEMBERED_ANSWERS:])
    whole = set(answered[-WHOLE_ANSWERS:])
    told: list[Message] = []
    for entry in asked:
        if entry["id"] in recent:
            answer = answers[entry["id"]]
            _say(told, entry["text"])
            told += answer["messages"] if entry["id"] in whole else []
            told.append({"role": "assistant", "content": [{"type": "text", "text": answer["text"]}]})
    for entry in _unanswered(entries):
        if entry["text"] != text:
            _say(told, entry["text"])
    _say(told, text)
    return told


def _unanswered(entries: Sequence[Entry]) -> list[Entry]:
    """Return the last messages that have no answer."""
    answered = {entry["to"] for entry in entries if entry.get("role") == "assistant"}
    closed = answered | _repeated(entries)
    return [entry for entry in entries if entry.get("role") == "user" and entry["id"] not in closed][-UNANSWERED:]


def _repeated(entries: Sequence[Entry]) -> set[str]:
    """Return the ids of unanswered messages that the customer sent again later, in the same words."""
    answered = {entry["to"] for entry in entries if entry.get("role") == "assistant"}
    later: set[str] = set()
    repeated: set[str] = set()
    for entry in reversed(entries):
        if entry.get("role") == "user":
            if entry["id"] not in answered and entry["text"] in later:
                repeated.add(entry["id"])
            later.add(entry["text"])
    return repeated


def _say(told: list[Message], text: str) -> None:
    block = {"type": "text", "text": text}
    if told and told[-1]["role"] == "user":
        told[-1] = {"role": "user", "content": [*told[-1]["content"], block]}
    else:
        told.append({"role": "user", "content": [block]})
