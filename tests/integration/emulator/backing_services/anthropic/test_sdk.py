"""The official client is satisfied: answers, tools, errors, retries."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from emulator.backing_services.anthropic import WIRE, Anthropic
from emulator.fault_injection import Fault, Proxy
from tests.unit.emulator.backing_services.anthropic.shop import CATALOG, TOOLS, search

MODEL = "claude-sonnet-5-5"
ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "vegan chips under 100"}],
}


def sdk() -> Any:
    """The official client, whose three thousand modules only these tests need: every process collects them."""
    return importlib.import_module("anthropic")


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
            Proxy("127.0.0.1", server.port, WIRE, name="anthropic") as proxy,
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
    return sdk().Anthropic(base_url=url, **{"api_key": "sk-local", "max_retries": 0, **settings})


def test_a_whole_turn_with_tools(url: str) -> None:
    with client(url) as claude:
        request = {**ASK, "tools": TOOLS, "messages": list(ASK["messages"])}
        first = claude.messages.create(**request)
        assert first.stop_reason == "tool_use"
        thought, use = first.content
        assert (thought.type, thought.thinking) == ("thinking", "")
        assert (use.name, use.input) == ("search_products", {"query": "vegan chips under 100"})
        result = {"type": "tool_result", "tool_use_id": use.id, "content": json.dumps(search(use.input))}
        request["messages"] += [first.to_param(), {"role": "user", "content": [result]}]
        second = claude.messages.create(**request)
        _, shown = second.content
        assert shown.name == "recommend"
        assert {"skus", "summary"} <= set(shown.input)
        assert second._request_id.startswith("req_")
        with pytest.raises(sdk().BadRequestError, match=r"messages.1.content.0: Invalid `signature`.*different"):
            claude.messages.create(**{**request, "system": "changed"})


def test_the_asynchronous_client(url: str) -> None:
    async def ask() -> str:
        async with sdk().AsyncAnthropic(base_url=url, api_key="k") as claude:
            answers = await asyncio.gather(*(claude.messages.create(**ASK) for _ in range(8)))
            return str(answers[0].content[-1].text)

    assert asyncio.run(ask())


def test_models(url: str) -> None:
    with client(url) as claude:
        assert MODEL in [model.id for model in claude.models.list(limit=1)]


def test_prompt_caching_is_accounted(url: str) -> None:
    system = [{"type": "text", "text": str(CATALOG[:10]), "cache_control": {"type": "ephemeral"}}]
    with client(url) as claude:
        first = claude.messages.create(**ASK, system=system).usage
        second = claude.messages.create(**ASK, system=system).usage
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 1000


def test_refusals_are_the_exceptions_of_the_client(url: str) -> None:
    with client(url) as claude:
        with pytest.raises(sdk().BadRequestError, match="temperature: Extra inputs") as caught:
            claude.messages.create(**ASK, extra_body={"temperature": 1})
        assert caught.value.type == "invalid_request_error"
        assert isinstance(caught.value.body, dict)
        assert caught.value.request_id == caught.value.body["request_id"]
        with pytest.raises(sdk().NotFoundError, match="model: claude-none"):
            claude.messages.create(**{**ASK, "model": "claude-none"})
        with pytest.raises(sdk().NotFoundError, match="does not know this endpoint"):
            claude.messages.count_tokens(model=MODEL, messages=ASK["messages"])
        with pytest.raises(sdk().BadRequestError, match="anthropic-version"):
            claude.messages.create(**ASK, extra_headers={"anthropic-version": "1"})
        with pytest.raises(sdk().APIStatusError) as too_large:
            claude.messages.create(**{**ASK, "system": "x" * 33 * 1024 * 1024})
        assert (too_large.value.status_code, too_large.value.type) == (413, "request_too_large")
    with client(url, api_key="invalid") as stranger, pytest.raises(sdk().AuthenticationError):
        stranger.messages.create(**ASK)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": "right"}, 200),
        ({"authorization": "Bearer right"}, 200),
        ({"x-api-key": "right", "authorization": "Bearer wrong"}, 200),
        ({"x-api-key": "wrong", "authorization": "Bearer right"}, 401),
        ({"x-api-key": "wröng".encode()}, 401),
        ({"authorization": "Basic right"}, 401),
        ({"x-api-key": "wröng".encode("latin-1")}, 401),
        ({"x-api-key": ""}, 401),
        ({}, 401),
        ({"x-api-key": "right", "anthropic-version": "2022-01-01"}, 400),
    ],
)
def test_only_the_configured_key_comes_in(headers: dict[str, Any], status: int) -> None:
    with running(api_key="right") as url:
        answer = httpx.post(f"{url}/v1/messages", json=ASK, headers={"anthropic-version": "2026-10-21", **headers})
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("body", [b"", b"{", b'{"model":"\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(url: str, body: bytes) -> None:
    headers = {"x-api-key": "k", "anthropic-version": "2026-10-21"}
    answer = httpx.post(f"{url}/v1/messages", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("The request body is not valid JSON")


@pytest.mark.parametrize(
    ("fault", "error"),
    [("error:529", "OverloadedError"), ("error:500", "InternalServerError"), ("error:429", "RateLimitError")],
)
def test_faults_are_the_exceptions_of_the_client(fault: str, error: str) -> None:
    with running(fault) as url, client(url) as claude, pytest.raises(sdk().APIStatusError) as caught:
        claude.messages.create(**ASK)
    assert error in [kind.__name__ for kind in type(caught.value).__mro__]


def test_the_client_gets_through_by_trying_again() -> None:
    with running("error:529x2") as url, client(url, max_retries=2) as claude:
        assert claude.messages.create(**ASK).content


def test_a_backing_service_that_refuses_is_a_connection_error() -> None:
    with running("refuse") as url, client(url) as claude, pytest.raises(sdk().APIConnectionError):
        claude.messages.create(**ASK)
