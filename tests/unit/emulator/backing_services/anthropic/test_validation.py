"""Requests that the API refuses are refused in its words."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.anthropic.errors import ApiError
from emulator.backing_services.anthropic.validation import check_count_request, check_request

HI = {"role": "user", "content": "hi"}
TOOL = {"name": "find", "input_schema": {"type": "object", "properties": {}}}
CACHED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}


def request(**changes: Any) -> dict[str, Any]:
    body = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [HI], **changes}
    return {name: value for name, value in body.items() if value is not None}


def use(identifier: str = "t1") -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": "find", "input": {}}


def result(identifier: str = "t1", **changes: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identifier, "content": "found", **changes}


def talk(*messages: Any) -> list[dict[str, Any]]:
    """Return messages of alternating roles, the first the user's."""
    return [{"role": ("user", "assistant")[number % 2], "content": one} for number, one in enumerate(messages)]


def refusal(body: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        check_request(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request(system="s", stream=True, stop_sequences=["END"], metadata={"user_id": "u"}, max_tokens=0),
        request(system=[CACHED], tools=[TOOL], tool_choice={"type": "none"}),
        request(model="claude-sonnet-4-6", tools=[TOOL], tool_choice={"type": "tool", "name": "find"}),
        request(messages=[HI, HI, {"role": "system", "content": "s"}, HI]),
        request(tools=[TOOL], messages=talk("hi", [use("a"), use("b")], [result("b"), result("a", is_error=True)])),
        request(tools=[TOOL], messages=talk("hi", [use()], [result(content=[{"type": "text", "text": "x"}])])),
        request(tools=[TOOL], messages=talk("hi", [use()], [result(), {"type": "text", "text": "and?"}], "so", "ok")),
        request(thinking={"type": "adaptive"}, output_config={"effort": "low"}, service_tier="auto"),
    ],
)
def test_what_the_api_takes(body: dict[str, Any]) -> None:
    assert check_request(body) is body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Input should be a valid dictionary"),
        (request(model=None), "model: Field required"),
        (request(max_tokens=None), "max_tokens: Field required"),
        (request(messages=None), "messages: Field required"),
        (request(max_tokens="9"), "max_tokens: Input should be a valid integer"),
        (request(max_tokens=True), "max_tokens: Input should be a valid integer"),
        (request(max_tokens=-1), "max_tokens: Input should be greater than or equal to 0"),
        (
            request(max_tokens=10**6),
            "max_tokens: 1000000 > 64000, which is the maximum allowed number of output tokens",
        ),
        (request(temperature=1.0), "temperature: Extra inputs are not permitted"),
        (request(top_p=0.9), "top_p: Extra inputs are not permitted"),
        (request(top_k=3), "top_k: Extra inputs are not permitted"),
        (request(sort="x"), "sort: Extra inputs are not permitted"),
        (request(metadata={"name": "x"}), "metadata.name: Extra inputs are not permitted"),
        (request(stream="yes"), "stream: Input should be a valid boolean"),
        (request(stop_sequences=[" "]), "stop_sequences: each stop sequence must contain non-whitespace"),
        (request(system=[{"type": "text", "text": ""}]), "system: text content blocks must be non-empty"),
        (request(system=[{"type": "image"}]), "system.0: Input tag 'image' found using 'type'"),
        (request(messages=[]), "messages: at least one message is required"),
        (request(messages="hi"), "messages: Input should be a valid list"),
        (request(messages=[{"role": "user"}]), "messages.0.content: Field required"),
        (request(messages=[{"role": "tool", "content": "x"}]), "messages.0.role: Input should be 'user', 'assistant'"),
        (request(messages=[{**HI, "name": "x"}]), "messages.0.name: Extra inputs are not permitted"),
        (request(messages=[{**HI, "role": "assistant"}, HI]), 'messages: first message must use the "user" role'),
        (request(messages=talk("hi", "ho")), "This model does not support assistant message prefill."),
        (request(messages=talk("")), "messages.0: user messages must have non-empty content"),
        (request(messages=talk("  ")), "messages: text content blocks must contain non-whitespace text"),
        (request(messages=talk([{"type": "text", "text": ""}])), "messages: text content blocks must be non-empty"),
        (request(messages=talk([{"type": "tool_use"}])), "messages.0.content.0: Input tag 'tool_use' found"),
        (request(messages=talk([{"text": "x"}])), "messages.0.content.0.type: Field required"),
        (
            request(tools=[TOOL], messages=talk("hi", [{**use(), "input": "x"}], [result()])),
            "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
        ),
        (
            request(tools=[TOOL], messages=talk("hi", [use()], "no result")),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1. Each `tool_use`",
        ),
        (
            request(tools=[TOOL], messages=talk("hi", [use()], [{"type": "text", "text": "late"}, result()])),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1.",
        ),
        (
            request(tools=[TOOL], messages=talk([result("t9")])),
            "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t9.",
        ),
        (
            request(tools=[TOOL], messages=talk("hi", [use()], [result(), result()])),
            "messages.2.content.1: each tool_use must have a single result.",
        ),
        (
            request(tools=[TOOL], messages=talk("hi", [use(), use()], [result()])),
            "messages: `tool_use` ids must be unique",
        ),
        (request(messages=talk("hi", [use()], [result()])), "Requests which include `tool_use` or `tool_result`"),
        (request(tools=[{**TOOL, "name": "no spaces"}]), "tools.0.custom.name: String should match pattern"),
        (request(tools=[{"name": "x"}]), "tools.0.custom.input_schema: Field required"),
        (
            request(tools=[{**TOOL, "input_schema": {"type": "array"}}]),
            "tools.0.custom.input_schema.type: Input should be",
        ),
        (request(tools=[TOOL, TOOL]), "tools: Tool names must be unique."),
        (request(tools=[{"type": "web_search_20250305", "name": "x"}]), "tools.0: the fake does not emulate tools"),
        (request(tool_choice={"type": "any"}), "tool_choice: may only be specified while providing tools."),
        (request(tools=[TOOL], tool_choice={"type": "tool", "name": "x"}), "Tool 'x' not found in provided tools"),
        (request(tools=[TOOL], tool_choice={"type": "must"}), "tool_choice: Input tag 'must' found"),
        (
            request(messages=talk([{**CACHED, "cache_control": {"type": "forever"}}])),
            "messages.0.content.0.cache_control.type: Input should be 'ephemeral'",
        ),
        (request(system=[CACHED] * 5), "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    ],
)
def test_what_it_refuses(body: Any, message: str) -> None:
    error = refusal(body)
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert error.message.startswith(message)


def test_an_unknown_model_is_not_found() -> None:
    error = refusal(request(model="gpt-5"))
    assert (error.status, error.type, error.message) == (404, "not_found_error", "model: gpt-5")


def test_counting_takes_no_max_tokens() -> None:
    with pytest.raises(ApiError, match="max_tokens: Extra inputs"):
        check_count_request(request())
    assert check_count_request(request(max_tokens=None))
