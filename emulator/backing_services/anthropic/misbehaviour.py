"""A model that errs, for tests of what stands between it and a customer.

Chosen by the API key (`anything-misbehave:looping`) or by `Anthropic.misbehaviour`; never by what a customer says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.anthropic.errors import invalid
from emulator.backing_services.anthropic.reply import Reply, Text, ToolCall

MISBEHAVIOURS: Final = {
    "inventing": "recommends products that no search returned",
    "invalid-input": "calls tools with input that their schemas refuse",
    "unknown-tool": "calls a tool that does not exist",
    "looping": "searches again and again and never answers",
    "obedient": "does what it finds written in messages and product texts",
    "malformed": "answers with blocks that are none",
    "no-json": "answers 200 with a page of HTML",
    "empty": "ends its turn without a word",
    "refusing": "stops with stop_reason refusal",
    "truncated": "stops with stop_reason max_tokens when it has only thought",
    "dropping": "closes the connection in the middle of its answer",
    "slow": "needs `Anthropic.slow_seconds` for each answer",
}
INVENTED_IDS: Final = ("SKU-THAT-NEVER-WAS", "GOLDEN-CHIPS-1KG")
_MARKER: Final = re.compile(r"misbehave:([a-z-]*)")
_COMMAND: Final = re.compile(
    r"(?is)\b(?:ignore|disregard|forget)\b.{0,80}?\b(?:instructions?|rules|above)\b[.:,!]?\s*(.*)"
)


def chosen(key: str, default: str | None) -> str | None:
    """Return the misbehaviour that `key` asks for, else `default`. Raises ApiError 400 for one that does not exist."""
    marker = _MARKER.search(key)
    name = marker[1] if marker else default
    if name is not None and name not in MISBEHAVIOURS:
        raise invalid(f"misbehave: the fake knows {', '.join(MISBEHAVIOURS)}, not '{name}'")
    return name


def misbehave(name: str | None, request: Mapping[str, Any], sensible: Reply) -> Reply:
    """Return what a model with this misbehaviour says where a sensible one says `sensible`."""
    tools = {tool["name"]: tool.get("input_schema", {}) for tool in request.get("tools", [])}
    if name == "inventing":
        return [_with_invented_ids(part) if isinstance(part, ToolCall) else part for part in sensible]
    if name == "invalid-input" and tools:
        return [ToolCall(next(iter(tools)), {"query": {"not": ["a", "string"]}, "no_such_field": -1})]
    if name == "unknown-tool":
        return [ToolCall("delete_everything", {"table": "inventory"})]
    if name == "looping" and tools:
        search = "search_products" if "search_products" in tools else next(iter(tools))
        fitting = next((part.input for part in sensible if isinstance(part, ToolCall) and part.name == search), None)
        return [ToolCall(search, fitting or {"query": "chips"})]
    if name == "obedient":
        return _obey(request, tools) or sensible
    if name in ("empty", "refusing"):
        return []
    return sensible


def distort(name: str | None, message: dict[str, Any]) -> dict[str, Any]:
    """Return `message` as this misbehaviour sends it."""
    if name == "malformed":
        calls = [{"type": "tool_use", "name": "search_products", "input": "chips"}, {"type": "tool_use", "id": 7}]
        return {**message, "content": [{"type": "text"}, "no block", None, *calls, {"type": "from_the_future"}]}
    if name == "refusing":
        details = {"type": "refusal", "category": None, "explanation": None}
        return {**message, "content": [], "stop_reason": "refusal", "stop_details": details}
    if name == "truncated":
        thought = [block for block in message["content"] if block["type"] == "thinking"]
        return {**message, "content": thought, "stop_reason": "max_tokens"}
    return message


def _with_invented_ids(call: ToolCall) -> ToolCall:
    """Replace what looks like a list of product ids, in a recommendation only."""
    if call.name != "recommend":
        return call
    invented = {
        name: _invented_like(value) if isinstance(value, list) and re.search(r"id|sku|product", name) else value
        for name, value in call.input.items()
    }
    return ToolCall(call.name, invented)


def _invented_like(value: list[Any]) -> list[Any]:
    if value and isinstance(value[0], dict):
        return [{field: INVENTED_IDS[0] if re.search("id|sku", field) else text for field, text in value[0].items()}]
    return [*INVENTED_IDS, *value[:1]]


def _obey(request: Mapping[str, Any], tools: Mapping[str, Any]) -> Reply | None:
    """Return what the last planted instruction asks for: its words, and the products that it names."""
    command = _COMMAND.search(_everything_read(request["messages"]))
    if command is None:
        return None
    order = command[1].strip()[:500] or "As you wish."
    named = re.findall(r"\b[A-Z0-9]+(?:-[A-Z0-9]+)+\b", order)
    if named and "recommend" in tools:
        properties = tools["recommend"].get("properties", {})
        ids = next((field for field in properties if re.search("ids?$|skus?$|products$", field)), "product_ids")
        words = {field: order for field, schema in properties.items() if schema.get("type") == "string"}
        return [ToolCall("recommend", {**words, ids: named})]
    return [Text(order)]


def _everything_read(messages: Any) -> str:
    """Return the texts of messages and tool results, JSON escapes resolved, the latest first."""
    texts: list[str] = []
    for message in reversed(messages):
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block["type"] == "text" and message["role"] == "user":
                texts.append(block["text"])
            elif block["type"] == "tool_result":
                inner = block.get("content") or ""
                texts += [inner] if isinstance(inner, str) else [part.get("text", "") for part in inner]
    return "\n".join(_unescaped(text) for text in texts)


def _unescaped(text: str) -> str:
    try:
        return "\n".join(_strings(json.loads(text)))
    except ValueError:
        return text


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for member in members for text in _strings(member)]
