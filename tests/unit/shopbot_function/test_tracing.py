from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shopping_bot import tracing
from shopping_bot.request_metrics import BackingServiceCall

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(2)
        yield daemon


def address(daemon: socket.socket) -> str:
    return f"127.0.0.1:{daemon.getsockname()[1]}"


def received(daemon: socket.socket) -> Any:
    header, document = daemon.recv(65_536).split(b"\n", 1)
    assert json.loads(header) == {"format": "json", "version": 1}
    return json.loads(document)


def test_a_sampled_request_is_sent_with_its_calls(daemon: socket.socket) -> None:
    calls = [
        BackingServiceCall("redis", 100.0, 0.5, failed=False),
        BackingServiceCall("anthropic", 101.0, 1.0, failed=True),
    ]

    tracing.send(HEADER, address(daemon), "GET /chat/<session_id>", 99.0, calls)

    document = received(daemon)
    assert document["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert (document["parent_id"], document["type"]) == ("53995c3f42cd8ad8", "subsegment")
    assert document["name"] == "GET /chat/.session_id."
    assert document["end_time"] >= document["start_time"] == 99.0
    redis, claude = document["subsegments"]
    assert (redis["name"], redis["start_time"], redis["end_time"], redis["namespace"]) == (
        "redis",
        100.0,
        100.5,
        "remote",
    )
    assert claude["fault"] is True
    assert len({part["id"] for part in (document, redis, claude)}) == 3


@pytest.mark.parametrize("header", ["", "Sampled=1", "Root=1-2-3;Sampled=1"])
def test_a_header_without_its_parts_sends_nothing(header: str) -> None:
    tracing.send(header, "127.0.0.1:1", "GET /health", 0.0, [])


@pytest.mark.parametrize(
    "where", ["127.0.0.1:1", "127.0.0.1", "nowhere.invalid:2000", "tcp:127.0.0.1:1 udp:127.0.0.1:1"]
)
def test_a_daemon_that_is_not_there_is_no_failure(where: str) -> None:
    tracing.send(HEADER, where, "GET /health", 0.0, [])


@pytest.mark.parametrize(("sampled", "is_sent"), [("1", True), ("0", False)])
def test_only_a_sampled_request_imports_and_sends(
    call: Callable[..., Any],
    request_event: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    daemon: socket.socket,
    sampled: str,
    is_sent: bool,
) -> None:
    monkeypatch.delitem(sys.modules, "shopping_bot.tracing")
    monkeypatch.delattr("shopping_bot.tracing")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER.replace("Sampled=1", f"Sampled={sampled}"))
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address(daemon))

    call(request_event("GET", "/health"))

    assert ("shopping_bot.tracing" in sys.modules) == is_sent
    if is_sent:
        assert received(daemon)["name"] == "GET /health"
