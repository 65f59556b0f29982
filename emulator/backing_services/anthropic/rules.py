"""What the API demands of a request that has the right form: known models, whose turn it is, results of tools.

Source: Claude Platform documentation, "Create a Message" (messages), "Handle tool calls" (results come first, in the
next message, one each), "Prompt caching" (four breakpoints), "Effort" (supported models) and "Claude API errors"
(Common validation errors).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.anthropic.errors import ApiError, invalid
from emulator.backing_services.anthropic.thinking import check_thinking

Block = Mapping[str, Any]
MAXIMUM_OUTPUT_TOKENS: Final = 64_000
_BREAKPOINTS: Final = 4
_ROLE_OF_BLOCK: Final = {"tool_use": "assistant", "thinking": "assistant", "tool_result": "user"}


@dataclass(frozen=True)
class Model:
    """What tells models apart here. All of them are the same one."""

    takes_effort: bool = True
    thinks: bool = True


MODELS: Final[Mapping[str, Model]] = {
    "claude-sonnet-5-5": Model(),
    "claude-opus-5-5": Model(),
    "claude-haiku-5-5": Model(),
    "claude-sonnet-4-5": Model(takes_effort=False, thinks=False),
    "claude-haiku-4-5": Model(takes_effort=False, thinks=False),
}
"""Models that the fake answers for: the default of the template, its siblings, and some that are asked otherwise."""


def check_rules(request: Mapping[str, Any]) -> None:
    """Raise ApiError 400 or 404 for what the API refuses of `request`, whose form is right."""
    name, limit = request["model"], request["max_tokens"]
    if name not in MODELS:
        raise ApiError(404, f"model: {name} (the emulator's fake knows {', '.join(MODELS)})")
    if limit > MAXIMUM_OUTPUT_TOKENS:
        raise invalid(
            f"max_tokens: {limit} > {MAXIMUM_OUTPUT_TOKENS}, which is the maximum allowed number of output tokens for "
            f"{name}"
        )
    if (request.get("output_config") or {}).get("effort") and not MODELS[name].takes_effort:
        raise invalid("This model does not support the effort parameter.")
    names = [tool["name"] for tool in request.get("tools", [])]
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.")
    _check_breakpoints(request)
    _check_roles(request["messages"])
    _check_tool_results(request["messages"])
    if not names and any(_calls(message) for message in request["messages"]):
        raise invalid("Requests which include `tool_use` or `tool_result` blocks must define tools")
    check_thinking(request)


def blocks(content: str | Sequence[Block] | None) -> Sequence[Block]:
    """Return the blocks of a message's content or a system prompt, which may be a string."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _check_breakpoints(request: Mapping[str, Any]) -> None:
    contents = (request.get("system"), *(message["content"] for message in request["messages"]))
    parts = [*request.get("tools", []), *(block for content in contents for block in blocks(content))]
    found = sum(1 for part in parts if part.get("cache_control"))
    if found > _BREAKPOINTS:
        raise invalid(f"A maximum of {_BREAKPOINTS} blocks with cache_control may be provided. Found {found}.")


def _check_roles(messages: Sequence[Mapping[str, Any]]) -> None:
    # Two messages of one role in a row are one to the API ("Create a Message": they are combined).
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    for number, message in enumerate(messages):
        for block in blocks(message["content"]):
            role = _ROLE_OF_BLOCK.get(block["type"], message["role"])
            if role != message["role"]:
                raise invalid(f"messages.{number}: `{block['type']}` blocks can only be in `{role}` messages")


def _check_tool_results(messages: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        results = list(_leading_results(message))
        missing = [call for call in open_calls if call not in results]
        if missing:
            raise invalid(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        _check_belonging(message, number, open_calls)
        open_calls = _calls(message)
        if seen & set(open_calls) or len(set(open_calls)) < len(open_calls):
            raise invalid("messages: `tool_use` ids must be unique")
        seen.update(open_calls)


def _leading_results(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the results that stand before anything else: later ones do not count."""
    for block in blocks(message["content"]):
        if block["type"] != "tool_result":
            return
        yield block["tool_use_id"]


def _check_belonging(message: Mapping[str, Any], number: int, open_calls: Sequence[str]) -> None:
    answered: set[str] = set()
    for place, block in enumerate(blocks(message["content"])):
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


def _calls(message: Mapping[str, Any]) -> list[str]:
    return [block["id"] for block in blocks(message["content"]) if block["type"] == "tool_use"]
