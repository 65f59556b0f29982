"""What the Messages API refuses with 400 or 404, in the order in which it looks.

Source: Claude Platform documentation, "Create a Message"; "Migrating to API version 2026-10-21" (sampling parameters);
"Claude API errors" (Common validation errors).

Where the fake differs: sampling parameters are refused for the older version as well; fields that are part of the
API but not emulated (`container`, server tools) are refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.anthropic import checks
from emulator.backing_services.anthropic.errors import ApiError, invalid
from emulator.backing_services.anthropic.message_rules import check_messages
from emulator.backing_services.anthropic.models import MAXIMUM_OUTPUT_TOKENS, MODELS
from emulator.backing_services.anthropic.thinking import check_thinking_blocks
from emulator.backing_services.anthropic.thinking_rules import check_thinking

MAXIMUM_CACHE_BREAKPOINTS: Final = 4
TOOL_NAME: Final = "^[a-zA-Z0-9_-]{1,128}$"
_COUNT_FIELDS: Final = (
    *("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"),
)
_FIELDS: Final = (*_COUNT_FIELDS, "max_tokens", "stop_sequences", "stream", "metadata", "service_tier", "inference_geo")
_TOOL_FIELDS: Final = (
    *("type", "name", "description", "input_schema", "cache_control", "strict", "input_examples"),
    *("eager_input_streaming", "defer_loading", "allowed_callers"),
)


def check_request(body: Any) -> Mapping[str, Any]:
    """Return the body of POST /v1/messages. Raises ApiError."""
    request = _check_common(body, _FIELDS, ("model", "max_tokens", "messages"))
    limit = checks.integer(request["max_tokens"], "max_tokens", minimum=0)
    if limit > MAXIMUM_OUTPUT_TOKENS:
        raise invalid(
            f"max_tokens: {limit} > {MAXIMUM_OUTPUT_TOKENS}, which is the maximum allowed number of output tokens for "
            f"{request['model']}"
        )
    checks.boolean(request.get("stream", False), "stream")
    for place, sequence in enumerate(checks.array(request.get("stop_sequences", []), "stop_sequences")):
        if not checks.text(sequence, f"stop_sequences.{place}").strip():
            raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    metadata = checks.mapping(request.get("metadata") or {}, "metadata")
    checks.known_fields(metadata, "metadata", ("user_id",))
    checks.one_of(request.get("service_tier", "auto"), "service_tier", ("auto", "standard_only"))
    return request


def check_count_request(body: Any) -> Mapping[str, Any]:
    """Return the body of POST /v1/messages/count_tokens. Raises ApiError."""
    return _check_common(body, _COUNT_FIELDS, ("model", "messages"))


def _check_common(body: Any, fields: tuple[str, ...], required: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    checks.required(body, "", *required)
    checks.known_fields(body, "", fields)
    model = checks.text(body["model"], "model")
    if model not in MODELS:
        raise ApiError(404, f"model: {model}")
    _check_system(body.get("system"))
    tools = _check_tools(body.get("tools", []))
    _check_tool_choice(body.get("tool_choice"), tools)
    check_thinking(body)
    checks.cache_control(body, "")
    check_messages(body["messages"], has_tools=bool(tools))
    check_thinking_blocks(body)
    _check_breakpoints(body)
    return body


def _check_system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    for number, block in enumerate(checks.array(system, "system")):
        place = f"system.{number}"
        checks.tag(block, place, ("text",))
        checks.known_fields(block, place, ("type", "text", "cache_control", "citations"))
        checks.required(block, place, "text")
        if not checks.text(block["text"], f"{place}.text").strip():
            raise invalid("system: text content blocks must be non-empty")
        checks.cache_control(block, place)


def _check_tools(tools: Any) -> list[str]:
    names: list[str] = []
    for number, tool in enumerate(checks.array(tools, "tools")):
        place = f"tools.{number}"
        kind = checks.mapping(tool, place).get("type") or "custom"
        if kind != "custom":
            raise invalid(f"{place}: the fake does not emulate tools of the type '{kind}'")
        place = f"{place}.custom"
        checks.required(tool, place, "name", "input_schema")
        checks.known_fields(tool, place, _TOOL_FIELDS)
        names.append(checks.pattern(tool["name"], f"{place}.name", TOOL_NAME))
        checks.text(tool.get("description", ""), f"{place}.description")
        schema = checks.mapping(tool["input_schema"], f"{place}.input_schema")
        checks.required(schema, f"{place}.input_schema", "type")
        checks.one_of(schema["type"], f"{place}.input_schema.type", ("object",))
        checks.cache_control(tool, place)
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.")
    return names


def _check_tool_choice(choice: Any, tools: list[str]) -> None:
    if choice is None:
        return
    kind = checks.tag(choice, "tool_choice", ("auto", "any", "tool", "none"))
    checks.known_fields(choice, f"tool_choice.{kind}", ("type", "name", "disable_parallel_tool_use"))
    if not tools:
        raise invalid("tool_choice: may only be specified while providing tools.")
    if kind == "tool":
        checks.required(choice, "tool_choice.tool", "name")
        if choice["name"] not in tools:
            raise invalid(f"Tool '{choice['name']}' not found in provided tools")


def _check_breakpoints(body: Mapping[str, Any]) -> None:
    found = sum(1 for block in _blocks(body) if block.get("cache_control"))
    if found > MAXIMUM_CACHE_BREAKPOINTS:
        raise invalid(
            f"A maximum of {MAXIMUM_CACHE_BREAKPOINTS} blocks with cache_control may be provided. Found {found}."
        )


def _blocks(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    system = body.get("system")
    contents = [message["content"] for message in body["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return [*body.get("tools", []), *(system if isinstance(system, list) else []), *blocks, body]
