"""Messages, their ids and their tokens are those of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.backing_services.anthropic.errors import ApiError
from emulator.backing_services.anthropic.faulty_model import apply_fault, chosen_fault
from emulator.backing_services.anthropic.message import Reply, Text, ToolCall, message
from emulator.backing_services.anthropic.prompt_cache import PromptCache, tokens

LONG = "A long system prompt. " * 300


def request(**changes: Any) -> dict[str, Any]:
    """Return a request to a model that does not think."""
    return {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}], **changes}


def made(reply: Reply, **changes: Any) -> dict[str, Any]:
    return message(request(**changes), reply, {"input_tokens": 7})


def test_a_message() -> None:
    answer = made([Text("I look."), ToolCall("find", {"query": "ghee"})])
    assert (answer["type"], answer["role"], answer["stop_reason"]) == ("message", "assistant", "tool_use")
    assert [block["type"] for block in answer["content"]] == ["text", "tool_use"]
    assert answer["content"][1]["id"].startswith("toolu_01")
    assert answer["usage"]["input_tokens"] == 7
    assert answer["usage"]["output_tokens"] > 0
    assert made([Text("Here.")])["stop_reason"] == "end_turn"


def test_ids_follow_from_the_conversation() -> None:
    calls = [ToolCall("find", {}), ToolCall("find", {})]
    assert made(calls) == made(calls)
    ids = [block["id"] for block in made(calls)["content"]]
    ids += [block["id"] for block in made(calls, messages=[{"role": "user", "content": "ho"}])["content"]]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-sonnet-5-5"])
def test_what_does_not_fit_is_left_out(model: str) -> None:
    answer = made([ToolCall("find", {"query": "x" * 100})], max_tokens=5, model=model)
    assert [block["type"] for block in answer["content"]] == (["thinking"] if model == "claude-sonnet-5-5" else [])
    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("max_tokens", 5)


class TestPromptCache:
    def setup_method(self) -> None:
        self.now = 0.0
        self.cache = PromptCache(lambda: self.now)

    def usage(self, said: str = "hi", *, system: str = LONG) -> dict[str, int]:
        block = {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
        return self.cache.account(request(system=[block], messages=[{"role": "user", "content": said}]))

    def test_it_is_written_once_and_read_later(self) -> None:
        first, second = self.usage("hi"), self.usage("something else")
        assert first["cache_creation_input_tokens"] == second["cache_read_input_tokens"] > tokens(LONG)
        assert first["cache_read_input_tokens"] == second["cache_creation_input_tokens"] == 0
        assert 0 < first["input_tokens"] < second["input_tokens"]

    def test_reading_renews_it_and_time_ends_it(self) -> None:
        self.usage()
        for self.now, is_read in ((299, True), (598, True), (899, False)):
            assert bool(self.usage()["cache_read_input_tokens"]) is is_read

    def test_another_text_is_another_prefix(self) -> None:
        self.usage()
        assert self.usage(system=LONG + "!")["cache_read_input_tokens"] == 0

    def test_a_short_prefix_is_not_kept(self) -> None:
        for _ in range(2):
            usage = self.usage(system="short")
            assert usage["cache_creation_input_tokens"] == usage["cache_read_input_tokens"] == 0


class TestFaultyModel:
    sensible: Reply = (ToolCall("recommend", {"skus": ["A-1"], "summary": "s"}),)
    body = request(model="claude-sonnet-5-5", tools=[{"name": "search_products"}, {"name": "recommend"}])

    def test_a_key_chooses_it(self) -> None:
        assert chosen_fault("sk-misbehave:looping") == "looping"
        assert chosen_fault("sk") is None
        with pytest.raises(ApiError, match="misbehave: the fake knows looping and truncated, not 'nonsense'"):
            chosen_fault("misbehave:nonsense")

    def test_none_is_sensible(self) -> None:
        assert apply_fault(None, self.body, self.sensible) == (self.body, self.sensible)

    def test_looping(self) -> None:
        _, reply = apply_fault("looping", self.body, self.sensible)
        assert reply == [ToolCall("search_products", {"query": "chips"})]

    def test_truncated(self) -> None:
        answer = message(*apply_fault("truncated", self.body, self.sensible), {})
        assert answer["stop_reason"] == "max_tokens"
        assert [block["type"] for block in answer["content"]] == ["thinking"]
        assert json.dumps(answer)
