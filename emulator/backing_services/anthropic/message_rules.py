"""What the Messages API demands of `messages`: roles, blocks, and a result for every tool call.

Source: Claude Platform documentation, "Create a Message" (messages), "Handle tool calls" (results come first, in the
next message, one each) and "Claude API errors" (Prefill not supported).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.backing_services.anthropic import checks
from emulator.backing_services.anthropic.errors import invalid

Message = Mapping[str, Any]
_ROLES: Final = ("user", "assistant", "system")
_BLOCKS: Final = {
    "user": ("text", "image", "document", "search_result", "tool_result"),
    "assistant": ("text", "thinking", "redacted_thinking", "tool_use"),
    "system": ("text",),
}
_SEALED: Final = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}
_RESULT_BLOCKS: Final = ("text", "image", "document", "search_result")
_TOOL_ID: Final = "^[a-zA-Z0-9_-]+$"


def check_messages(messages: Any, *, has_tools: bool) -> None:
    """Raise ApiError 400 for a conversation that the API does not accept."""
    if not checks.array(messages, "messages"):
        raise invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        _check_message(message, f"messages.{number}")
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    _check_tool_results(messages)
    if not has_tools and any(_of_type(message, "tool_use") for message in messages):
        raise invalid("Requests which include `tool_use` or `tool_result` blocks must define tools")


def _check_message(message: Any, place: str) -> None:
    checks.required(checks.mapping(message, place), place, "role", "content")
    checks.known_fields(message, place, ("role", "content"))
    role = checks.one_of(message["role"], f"{place}.role", _ROLES)
    content = message["content"]
    if not content:
        raise invalid(f"{place}: {role} messages must have non-empty content")
    if isinstance(content, str):
        if not content.strip():
            raise invalid("messages: text content blocks must contain non-whitespace text")
        return
    for number, block in enumerate(checks.array(content, f"{place}.content")):
        _check_block(block, f"{place}.content.{number}", role)


def _check_block(block: Any, place: str, role: str) -> None:
    kind = checks.tag(block, place, _BLOCKS[role])
    checks.cache_control(block, place)
    place = f"{place}.{kind}"
    if kind == "text":
        checks.required(block, place, "text")
        checks.known_fields(block, place, ("type", "text", "cache_control", "citations"))
        if not checks.text(block["text"], f"{place}.text"):
            raise invalid("messages: text content blocks must be non-empty")
        if role == "user" and block.get("citations"):
            raise invalid(f"{place}.citations: Extra inputs are not permitted")
    elif kind == "tool_use":
        checks.required(block, place, "id", "name", "input")
        checks.known_fields(block, place, ("type", "id", "name", "input", "cache_control", "caller", "toolset_name"))
        checks.pattern(block["id"], f"{place}.id", _TOOL_ID)
        checks.text(block["name"], f"{place}.name")
        checks.mapping(block["input"], f"{place}.input")
    elif kind == "tool_result":
        _check_result(block, place)
    elif kind in _SEALED:
        checks.required(block, place, *_SEALED[kind])
        checks.known_fields(block, place, ("type", *_SEALED[kind]))
        for field in _SEALED[kind]:
            checks.text(block[field], f"{place}.{field}")


def _check_result(block: Message, place: str) -> None:
    checks.required(block, place, "tool_use_id")
    checks.known_fields(block, place, ("type", "tool_use_id", "content", "is_error", "cache_control"))
    checks.pattern(block["tool_use_id"], f"{place}.tool_use_id", _TOOL_ID)
    checks.boolean(block.get("is_error") or False, f"{place}.is_error")
    content = block.get("content") or []
    if not isinstance(content, str):
        for number, member in enumerate(checks.array(content, f"{place}.content")):
            checks.tag(member, f"{place}.content.{number}", _RESULT_BLOCKS)


def _check_tool_results(messages: Sequence[Message]) -> None:
    seen: set[str] = set()
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        results = _leading_results(message) if open_calls else []
        missing = [call for call in open_calls if call not in results]
        if missing:
            raise invalid(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        _check_belonging(message, number, open_calls)
        open_calls = [block["id"] for block in _of_type(message, "tool_use")]
        if seen & set(open_calls) or len(set(open_calls)) < len(open_calls):
            raise invalid("messages: `tool_use` ids must be unique")
        seen.update(open_calls)


def _leading_results(message: Message) -> list[str]:
    """Return the ids of the results that stand before anything else: later ones do not count."""
    found = []
    for block in message["content"] if isinstance(message["content"], list) else []:
        if block["type"] != "tool_result":
            break
        found.append(block["tool_use_id"])
    return found


def _check_belonging(message: Message, number: int, open_calls: Sequence[str]) -> None:
    answered: set[str] = set()
    for place, block in enumerate(message["content"] if isinstance(message["content"], list) else []):
        if block["type"] != "tool_result":
            continue
        call = block["tool_use_id"]
        if call not in open_calls:
            raise invalid(
                f"messages.{number}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if call in answered:
            raise invalid(
                f"messages.{number}.content.{place}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {call}"
            )
        answered.add(call)


def _of_type(message: Message, kind: str) -> list[Message]:
    content = message["content"]
    return [block for block in content if block["type"] == kind] if isinstance(content, list) else []
