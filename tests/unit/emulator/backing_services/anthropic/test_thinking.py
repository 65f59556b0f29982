"""The fake thinks as its models do, and its thinking is valid only where it was thought."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.backing_services.anthropic.capabilities import capabilities
from emulator.backing_services.anthropic.errors import ApiError
from emulator.backing_services.anthropic.messages import message
from emulator.backing_services.anthropic.models import MODELS
from emulator.backing_services.anthropic.reply import Reply, Text, ToolCall
from emulator.backing_services.anthropic.thinking import TOKENS
from emulator.backing_services.anthropic.usage import InputUsage
from emulator.backing_services.anthropic.validation import check_count_request, check_request

TOOL = {"name": "find", "input_schema": {"type": "object", "properties": {}}}
CALL: Reply = (ToolCall("find", {"query": "ghee"}),)
USAGE = InputUsage(uncached=7, written={}, read=0)
CACHED = {"cache_control": {"type": "ephemeral"}}
BOUND = (
    "Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".'
)


def request(**changes: Any) -> dict[str, Any]:
    hi = {"role": "user", "content": "hi"}
    body = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "tools": [TOOL], "messages": [hi], **changes}
    return {name: value for name, value in body.items() if value is not None}


def made(body: dict[str, Any], reply: Reply = CALL) -> dict[str, Any]:
    return message(check_request(body), reply, USAGE)


def loop(rounds: int = 3, **changes: Any) -> dict[str, Any]:
    """Return the request after so many rounds of a tool loop; messages 1, 3, 5 are the model's."""
    body = request(**changes)
    for _ in range(rounds):
        content = made(body)["content"]
        result = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "found"}
        answers = [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        body = {**body, "messages": [*body["messages"], *answers]}
    return body


def kinds(answer: dict[str, Any]) -> list[str]:
    return [block["type"] for block in answer["content"]]


def refusal(body: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as caught:
        check_request(body)
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    return caught.value.message


def test_it_thinks_first_without_showing_what() -> None:
    answer = made(request())
    assert kinds(answer) == ["thinking", "tool_use"]
    assert answer["content"][0]["thinking"] == ""
    assert answer["content"][0]["signature"]
    assert answer == made(request())
    assert answer["content"][0] != made(request(system="s"))["content"][0]


def test_thinking_is_shown_when_asked_for() -> None:
    assert made(request(thinking={"type": "adaptive", "display": "summarized"}))["content"][0]["thinking"]
    assert made(request(model="claude-sonnet-4-6", thinking={"type": "adaptive"}))["content"][0]["thinking"]


def test_effort_is_how_much_and_the_tokens_count() -> None:
    used = [made(request(output_config={"effort": effort}))["usage"] for effort in TOKENS]
    counted = [usage["output_tokens_details"]["thinking_tokens"] for usage in used]
    assert counted == sorted(set(TOKENS.values()))
    assert len({usage["output_tokens"] - thought for usage, thought in zip(used, counted, strict=True)}) == 1
    high, low = made(request(max_tokens=TOKENS["high"])), made(request(max_tokens=1))
    for answer in (high, low):
        assert (kinds(answer), answer["stop_reason"]) == (["thinking"], "max_tokens")
    assert (high["usage"]["output_tokens"], low["usage"]["output_tokens"]) == (TOKENS["high"], 1)
    assert made(request(max_tokens=0))["content"] == []


def test_only_notes_between_tools() -> None:
    quiet = {"type": "between_tools"}
    assert kinds(made(request(thinking=quiet))) == ["tool_use"]
    body = loop(1, thinking=quiet)
    note, _ = made(body)["content"]
    assert note["thinking"] == "Next I call find."
    assert kinds(made(body, [Text("Here.")])) == ["text"]


@pytest.mark.parametrize("model", MODELS)
def test_each_model_thinks_by_default_or_does_not(model: str) -> None:
    expected = ["thinking", "tool_use"] if capabilities(model).thinks_by_default else ["tool_use"]
    assert kinds(made(request(model=model))) == expected


def test_what_was_only_added_to_is_accepted() -> None:
    body = loop()
    marked = {**body, "tools": [{**TOOL, **CACHED}], "output_config": {"effort": "low"}}
    assert check_request(body)
    assert check_request(marked)
    assert check_count_request({name: value for name, value in body.items() if name != "max_tokens"})
    oldest_left_out = json.loads(json.dumps(body))
    for number in (1, 3):
        del oldest_left_out["messages"][number]["content"][0]
        assert check_request(oldest_left_out)


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
    body = json.loads(json.dumps(loop()))
    change(body)
    assert refusal(body).startswith(f"{place}: {BOUND}")


@pytest.mark.parametrize(
    "block",
    [
        {"signature": "c2ln"},
        {"signature": "no base64 ₹"},
        {"signature": "W10="},
        {"signature": ""},
        {"thinking": "What I never thought."},
    ],
)
def test_an_altered_block_is_refused(block: dict[str, str]) -> None:
    body = json.loads(json.dumps(loop(1)))
    body["messages"][1]["content"][0] |= block
    assert refusal(body) == "messages.1.content.0: Invalid `signature` in `thinking` block"


def test_blocks_are_whole() -> None:
    def talk(block: dict[str, Any]) -> dict[str, Any]:
        said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [block]}]
        return request(messages=[*said, {"role": "user", "content": "ho"}])

    place = "messages.1.content.0"
    assert refusal(talk({"type": "thinking", "thinking": ""})) == f"{place}.thinking.signature: Field required"
    assert refusal(talk({"type": "thinking", "thinking": "", "signature": "s", **CACHED})).startswith(
        f"{place}.thinking.cache_control: Extra inputs"
    )
    assert refusal(talk({"type": "redacted_thinking", "data": "x"})) == (
        f"{place}: Invalid `data` in `redacted_thinking` block"
    )


def test_other_models_neither_read_nor_check_it() -> None:
    changed = {**loop(), "system": "Be brief."}
    assert check_request({**changed, "model": "claude-opus-5-5"})
    assert check_request({**loop(model="claude-sonnet-5"), "system": "Be brief."})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thinking": {"type": "disabled"}}, 'To turn thinking off on this model, send "thinking": {"type": "between_'),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, '"thinking.type.enabled" is not supported for this'),
        ({"thinking": {"type": "between_tools", "display": "omitted"}}, "thinking.between_tools.display: Extra inputs"),
        (
            {"thinking": {"type": "between_tools"}, "output_config": {"effort": "max"}},
            '"thinking.type.between_tools" is not supported at effort "max"',
        ),
        ({"thinking": {"type": "adaptive", "display": "all"}}, "thinking.adaptive.display: Input should be"),
        ({"thinking": {"type": "adaptive", "block_binding": {}}}, "thinking.adaptive.block_binding: Extra inputs"),
        ({"thinking": {"type": "off"}}, "thinking: Input tag 'off' found"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort: Input should be 'low'"),
        ({"tool_choice": {"type": "any"}}, 'tool_choice: type "tool" and "any" are not supported for this model.'),
        (
            {"tool_choice": {"type": "tool", "name": "find"}},
            'tool_choice: type "tool" and "any" are not supported for this model.',
        ),
        (
            {"model": "claude-opus-5-5", "thinking": {"type": "disabled"}},
            '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive"',
        ),
        ({"model": "claude-haiku-5-5", "thinking": {"type": "between_tools"}}, '"thinking.type.between_tools" is not'),
        ({"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
        (
            {"model": "claude-haiku-4-5-20251001", "output_config": {"effort": "low"}},
            "This model does not support the effort parameter.",
        ),
        ({"model": "claude-opus-4-5", "thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field requir"),
        (
            {"model": "claude-opus-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}},
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            {"model": "claude-opus-4-5", "max_tokens": "2000", "thinking": {"type": "enabled", "budget_tokens": 1024}},
            "max_tokens: Input should be a valid integer",
        ),
    ],
)
def test_what_a_model_does_not_take(changes: dict[str, Any], message: str) -> None:
    assert refusal(request(**changes)).startswith(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}},
        {"model": "claude-sonnet-5", "tool_choice": {"type": "any"}},
        {"model": "claude-opus-4-5", "output_config": {"effort": "low"}},
        {"model": "claude-opus-4-5", "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "between_tools"}, "output_config": {"effort": "high"}},
        {"output_config": {"format": None}},
    ],
)
def test_what_it_takes(changes: dict[str, Any]) -> None:
    assert check_request(request(**changes))
