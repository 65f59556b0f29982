"""Requests that the API refuses are refused in its words."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.anthropic.errors import ApiError
from emulator.backing_services.anthropic.request import check_form
from emulator.backing_services.anthropic.rules import MODELS, check_rules
from sam_template.repository import TEMPLATE
from sam_template.translation import parse

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
        check_rules(check_form(body))
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        request(),
        request(system="s", max_tokens=0),
        request(system=[CACHED], tools=[TOOL]),
        request(messages=[HI, HI]),
        request(tools=[TOOL], messages=talk("hi", [use("a"), use("b")], [result("b"), result("a", is_error=True)])),
        request(tools=[TOOL], messages=talk("hi", [use()], [result(content=[{"type": "text", "text": "x"}])])),
        request(tools=[TOOL], messages=talk("hi", [use()], [result(), {"type": "text", "text": "and?"}], "so", "ok")),
        request(output_config={"effort": "low"}),
        request(model="claude-haiku-4-5", output_config={}),
    ],
)
def test_what_the_api_takes(body: dict[str, Any]) -> None:
    assert check_form(body) is body
    check_rules(body)


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
        (request(max_tokens=10**6), "max_tokens: 1000000 > 64000, which is the maximum allowed number of output"),
        (request(temperature=1.0), "temperature: Extra inputs are not permitted"),
        (request(top_p=0.9), "top_p: Extra inputs are not permitted"),
        (request(top_k=3), "top_k: Extra inputs are not permitted"),
        (request(stream=True), "stream: the emulator's fake of the Messages API does not take this"),
        (request(system=[{"type": "text", "text": ""}]), "system.0.text: text content blocks must contain non-whi"),
        (request(system=[{"type": "text", "text": "s", "name": "x"}]), "system.0.name: Extra inputs are not permitted"),
        (request(messages=[]), "messages: List should have at least 1 item"),
        (request(messages="hi"), "messages: Input should be a valid list"),
        (request(messages=[{"role": "user"}]), "messages.0.content: Field required"),
        (
            request(messages=[{"role": "tool", "content": "x"}]),
            "messages.0.role: Input should be 'user' or",
        ),
        (request(messages=[{**HI, "name": "x"}]), "messages.0.name: Extra inputs are not permitted"),
        (request(messages=[{**HI, "role": "assistant"}, HI]), 'messages: first message must use the "user" role'),
        (request(messages=talk("hi", "ho")), "This model does not support assistant message prefill."),
        (request(messages=talk("")), "messages.0.content: text content blocks must contain non-whitespace text"),
        (request(messages=talk([])), "messages.0.content: List should have at least 1 item"),
        (
            request(messages=talk([{"type": "text", "text": " "}])),
            "messages.0.content.0.text.text: text content",
        ),
        (
            request(messages=talk([{"type": "image"}])),
            "messages.0.content.0: Input tag 'image' found",
        ),
        (request(messages=talk([use()])), "messages.0: `tool_use` blocks can only be in `assistant` messages"),
        (request(messages=talk("hi", [result()], "ho")), "messages.1: `tool_result` blocks can only be in `user` mess"),
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
        (request(tools=[{**TOOL, "name": "no spaces"}]), "tools.0.name: String should match pattern"),
        (request(tools=[{"name": "x"}]), "tools.0.input_schema: Field required"),
        (request(tools=[{**TOOL, "input_schema": {"type": "array"}}]), "tools.0.input_schema.type: Input should be"),
        (request(tools=[{**TOOL, "type": "web_search_20250305"}]), "tools.0.type: Input should be 'custom'"),
        (request(tools=[TOOL, TOOL]), "tools: Tool names must be unique."),
        (
            request(messages=talk([{**CACHED, "cache_control": {"type": "forever"}}])),
            "messages.0.content.0.text.cache_control.type: Input should be 'ephemeral'",
        ),
        (request(system=[CACHED] * 5), "A maximum of 4 blocks with cache_control may be provided. Found 5."),
        (request(output_config={"effort": "huge"}), "output_config.effort: Input should be 'low'"),
        (
            request(model="claude-haiku-4-5", output_config={"effort": "low"}),
            "This model does not support the effort parameter.",
        ),
    ],
)
def test_what_it_refuses(body: Any, message: str) -> None:
    error = refusal(body)
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert error.message.startswith(message)


def test_an_unknown_model_is_not_found() -> None:
    error = refusal(request(model="gpt-5"))
    assert (error.status, error.type) == (404, "not_found_error")
    assert error.message.startswith("model: gpt-5")


def test_the_model_of_the_template_is_known() -> None:
    template = parse(TEMPLATE, TEMPLATE.read_text(encoding="utf-8"))
    assert template["Parameters"]["ClaudeModel"]["Default"] in MODELS
