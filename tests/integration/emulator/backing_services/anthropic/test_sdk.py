"""The official client is satisfied: answers, tools, streams, errors, retries."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest

from emulator.backing_services.anthropic import Anthropic
from emulator.fault_injection import Fault, Proxy
from tests.unit.emulator.backing_services.anthropic.shop import CATALOG, TOOLS, search

MODEL = "claude-sonnet-5-5"
ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "vegan chips under 100"}],
}


@contextmanager
def running(proxy_fault: str | None = None, **settings: Any) -> Iterator[str]:
    """Serve in a thread of its own; yield the base URL, of a proxy with a fault when one is named."""
    ready = threading.Event()
    url = ""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        nonlocal url
        async with (
            Anthropic(**settings) as server,
            Proxy("127.0.0.1", server.port, name="anthropic", protocol="http") as proxy,
        ):
            await proxy.set_fault(Fault.parse(proxy_fault or "none"))
            url = f"http://127.0.0.1:{proxy.port}" if proxy_fault else server.url
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as url:
        yield url


def client(url: str, **settings: Any) -> Any:
    return anthropic.Anthropic(base_url=url, **{"api_key": "sk-local", "max_retries": 0, **settings})


def test_a_whole_turn_with_tools(url: str) -> None:
    with client(url) as claude:
        messages = list(ASK["messages"])
        first = claude.messages.create(**{**ASK, "tools": TOOLS, "messages": messages})
        assert first.stop_reason == "tool_use"
        thought, use = first.content
        assert (thought.type, thought.thinking) == ("thinking", "")
        assert first.usage.output_tokens > first.usage.output_tokens_details.thinking_tokens > 0
        assert (use.name, use.input["price_max"]) == ("search_products", 100)
        messages.append(first.to_param())
        result = {"type": "tool_result", "tool_use_id": use.id, "content": json.dumps(search(use.input))}
        messages.append({"role": "user", "content": [result]})
        second = claude.messages.create(**{**ASK, "tools": TOOLS, "messages": messages})
        _, shown = second.content
        assert shown.name == "recommend"
        assert {"skus", "summary"} <= set(shown.input)
        assert second._request_id.startswith("req_")


def test_thinking_must_come_back_as_it_went(url: str) -> None:
    with client(url) as claude:
        request = {**ASK, "tools": TOOLS, "messages": list(ASK["messages"])}
        first = claude.messages.create(**request)
        use = first.content[-1]
        result = {"type": "tool_result", "tool_use_id": use.id, "content": json.dumps(search(use.input))}
        request["messages"] += [first.to_param(), {"role": "user", "content": [result]}]
        assert claude.messages.create(**request).stop_reason == "tool_use"
        with pytest.raises(anthropic.BadRequestError, match=r"messages.1.content.0: Invalid `signature`.*different"):
            claude.messages.create(**{**request, "system": "changed"})
        with pytest.raises(anthropic.BadRequestError, match=r'send "thinking": .*between_tools'):
            claude.messages.create(**ASK, thinking={"type": "disabled"})
        with pytest.raises(anthropic.BadRequestError, match='tool_choice: type "tool" and "any" are not supported'):
            claude.messages.create(**ASK, tools=TOOLS, tool_choice={"type": "any"})
        quick = claude.messages.create(**ASK, thinking={"type": "between_tools"}, output_config={"effort": "low"})
        assert [block.type for block in quick.content] == ["text"]


@pytest.mark.parametrize("tools", [[], TOOLS])
def test_a_stream_says_the_same_as_a_message(url: str, tools: list[Any]) -> None:
    with client(url) as claude:
        whole = claude.messages.create(**ASK, tools=tools)
        with claude.messages.stream(**ASK, tools=tools) as stream:
            kinds = [event.type for event in stream]
            streamed = stream.get_final_message()
        assert kinds[0] == "message_start"
        assert kinds[-1] == "message_stop"
        assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
        assert streamed.content[0].signature
        assert streamed.usage.output_tokens == whole.usage.output_tokens
        raw = claude.messages.create(**ASK, stream=True)
        assert [event.type for event in raw][-2:] == ["message_delta", "message_stop"]


def test_the_asynchronous_client(url: str) -> None:
    async def ask() -> str:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="k") as claude:
            answers = await asyncio.gather(*(claude.messages.create(**ASK) for _ in range(8)))
            return str(answers[0].content[-1].text)

    assert asyncio.run(ask())


def test_tokens_and_models(url: str) -> None:
    with client(url) as claude:
        counted = claude.messages.count_tokens(model=MODEL, messages=ASK["messages"]).input_tokens
        usage = claude.messages.create(**ASK).usage
        assert counted == usage.input_tokens > 0
        assert MODEL in [model.id for model in claude.models.list(limit=4)]  # five pages
        assert len(claude.models.list(limit=1).data) == 1
        assert claude.models.retrieve(MODEL).lifecycle == "active"


def test_prompt_caching_is_accounted(url: str) -> None:
    system = [{"type": "text", "text": str(CATALOG[:10]), "cache_control": {"type": "ephemeral"}}]
    with client(url, api_key="cache") as claude:
        first = claude.messages.create(**ASK, system=system).usage
        second = claude.messages.create(**ASK, system=system).usage
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 1000


def test_refusals_are_the_exceptions_of_the_client(url: str) -> None:
    with client(url) as claude:
        with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs") as caught:
            claude.messages.create(**ASK, extra_body={"temperature": 1})
        assert caught.value.type == "invalid_request_error"
        assert isinstance(caught.value.body, dict)
        assert caught.value.request_id == caught.value.body["request_id"]
        with pytest.raises(anthropic.NotFoundError, match="model: claude-none"):
            claude.messages.create(**{**ASK, "model": "claude-none"})
        with pytest.raises(anthropic.NotFoundError):
            claude.post("/v1/complete", cast_to=object, body={})
        with pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
            claude.messages.create(**ASK, extra_headers={"anthropic-version": "1"})
        with pytest.raises(anthropic.APIStatusError) as too_large:
            claude.messages.create(**{**ASK, "system": "x" * 33 * 1024 * 1024})
        assert too_large.value.status_code == 413
    with client(url, api_key="invalid") as stranger, pytest.raises(anthropic.AuthenticationError):
        stranger.messages.create(**ASK)


def test_only_the_configured_key_comes_in() -> None:
    with running(api_key="right") as url:
        with client(url, api_key="right") as claude:
            assert claude.messages.create(**ASK).content
        with client(url, api_key="wrong") as stranger, pytest.raises(anthropic.AuthenticationError):
            stranger.messages.create(**ASK)


def test_the_rate_limit() -> None:
    with running(requests_per_minute=2) as url, client(url) as claude:
        raw = claude.messages.with_raw_response.create(**ASK)
        assert raw.headers["anthropic-ratelimit-requests-remaining"] == "1"
        claude.messages.create(**ASK)
        with pytest.raises(anthropic.RateLimitError) as caught:
            claude.messages.create(**ASK)
        assert 0 < int(caught.value.response.headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    ("fault", "error"),
    [("error:529", "OverloadedError"), ("error:500", "InternalServerError"), ("error:429", "RateLimitError")],
)
def test_faults_are_the_exceptions_of_the_client(fault: str, error: str) -> None:
    with running(fault) as url, client(url) as claude, pytest.raises(anthropic.APIStatusError) as caught:
        claude.messages.create(**ASK)
    assert error in [kind.__name__ for kind in type(caught.value).__mro__]


def test_the_client_gets_through_by_trying_again() -> None:
    with running("error:529x2") as url, client(url, max_retries=2) as claude:
        assert claude.messages.create(**ASK).content


def test_a_backing_service_that_refuses_is_a_connection_error() -> None:
    with running("refuse") as url, client(url) as claude, pytest.raises(anthropic.APIConnectionError):
        claude.messages.create(**ASK)


@pytest.mark.parametrize(
    "name", ["inventing", "invalid-input", "unknown-tool", "looping", "obedient", "empty", "truncated"]
)
def test_a_key_makes_the_model_err(url: str, name: str) -> None:
    with client(url, api_key=f"sk-misbehave:{name}") as claude:
        assert claude.messages.create(**ASK, tools=TOOLS).type == "message"


def test_errors_on_the_wire(url: str) -> None:
    with client(url, api_key="sk-misbehave:dropping") as claude:
        with pytest.raises(anthropic.APIConnectionError):
            claude.messages.create(**ASK)
        with pytest.raises(Exception, match=r"peer closed|incomplete|disconnected"):
            list(claude.messages.create(**ASK, stream=True))
    with client(url, api_key="sk-misbehave:refusing") as claude:
        refused = claude.messages.create(**ASK)
        assert (refused.stop_reason, refused.content) == ("refusal", [])
    with (
        running(misbehaviour="slow", slow_seconds=0.5) as slow,
        client(slow, timeout=0.2) as claude,
        pytest.raises(anthropic.APITimeoutError),
    ):
        claude.messages.create(**ASK)
