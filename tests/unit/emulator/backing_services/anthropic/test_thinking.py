"""The fake thinks as its models do, and its thinking is valid only where it was thought."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.backing_services.anthropic.errors import ApiError
from emulator.backing_services.anthropic.message import Reply, ToolCall, message
from emulator.backing_services.anthropic.request import check_form
from emulator.backing_services.anthropic.rules import MODELS, check_rules

TOOL = {"name": "find", "input_schema": {"type": "object", "properties": {}}}
CALL: Reply = (ToolCall("find", {"query": "ghee"}),)
CACHED = {"cache_control": {"type": "ephemeral"}}
INVALID = "Invalid `signature` in `thinking` block"
BOUND = f"{INVALID}. The block is bound to a different conversation. Remove the block, or set "


def request(**changes: Any) -> dict[str, Any]:
    hi = {"role": "user", "content": "hi"}
    return {"model": "claude-sonnet-5-5", "max_tokens": 1000, "tools": [TOOL], "messages": [hi], **changes}


def made(body: dict[str, Any]) -> dict[str, Any]:
    check_rules(check_form(body))
    return message(body, CALL, {})


def loop(rounds: int = 3, **changes: Any) -> dict[str, Any]:
    """Return the request after so many rounds of a tool loop; messages 1, 3, 5 are the model's."""
    body = request(**changes)
    for _ in range(rounds):
        content = made(body)["content"]
        result = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "found"}
        answers = [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        body = {**body, "messages": [*body["messages"], *answers]}
    return json.loads(json.dumps(body))  # type: ignore[no-any-return]  # nothing shared: tests change it


def refusal(body: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as caught:
        check_rules(check_form(body))
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    return caught.value.message


def test_it_thinks_first_without_showing_what() -> None:
    answer = made(request())
    assert [block["type"] for block in answer["content"]] == ["thinking", "tool_use"]
    assert answer["content"][0]["thinking"] == ""
    assert answer["content"][0]["signature"]
    assert answer == made(request())
    assert answer["content"][0] != made(request(system="s"))["content"][0]


@pytest.mark.parametrize("model", MODELS)
def test_each_model_thinks_or_does_not(model: str) -> None:
    expected = ["thinking", "tool_use"] if MODELS[model].thinks else ["tool_use"]
    assert [block["type"] for block in made(request(model=model))["content"]] == expected


def test_effort_is_how_much() -> None:
    used = [made(request(output_config={"effort": effort}))["usage"]["output_tokens"] for effort in ("low", "high")]
    assert used[0] < used[1] == made(request())["usage"]["output_tokens"]


def test_what_was_only_added_to_is_accepted() -> None:
    check_rules(check_form({**loop(), "tools": [{**TOOL, **CACHED}], "output_config": {"effort": "low"}}))


def change_system(body: dict[str, Any]) -> None:
    body["system"] = "Be brief."


def change_tools(body: dict[str, Any]) -> None:
    body["tools"].append({**TOOL, "name": "count"})


def change_what_was_said(body: dict[str, Any]) -> None:
    body["messages"][0]["content"] = "ho"


def change_a_result(body: dict[str, Any]) -> None:
    body["messages"][2]["content"][0]["content"] = "lost"


def leave_one_between_others_out(body: dict[str, Any]) -> None:
    del body["messages"][3]["content"][0]


def swap_two(body: dict[str, Any]) -> None:
    first, second = (body["messages"][number]["content"] for number in (1, 3))
    first[0], second[0] = second[0], first[0]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (change_system, "messages.1.content.0"),
        (change_tools, "messages.1.content.0"),
        (change_what_was_said, "messages.1.content.0"),
        (change_a_result, "messages.3.content.0"),
        (leave_one_between_others_out, "messages.5.content.0"),
        (swap_two, "messages.1.content.0"),
    ],
)
def test_a_changed_prefix_is_refused(change: Callable[[dict[str, Any]], None], place: str) -> None:
    body = loop()
    change(body)
    assert refusal(body).startswith(f"{place}: {BOUND}")


@pytest.mark.parametrize("signature", ["c2ln", "no base64 ₹", "W10=", ""])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    body = loop(1)
    body["messages"][1]["content"][0]["signature"] = signature
    assert refusal(body) == f"messages.1.content.0: {INVALID}"


def test_a_thought_that_was_never_thought_is_refused() -> None:
    body = loop(1)
    body["messages"][1]["content"][0]["thinking"] = "What I never thought."
    assert refusal(body).startswith(f"messages.1.content.0: {INVALID}")


def test_blocks_are_whole() -> None:
    body = loop(1)
    del body["messages"][1]["content"][0]["signature"]
    assert refusal(body) == "messages.1.content.0.thinking.signature: Field required"
