from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError, http
from shopping_bot.backends.http import request_json


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def no_connections() -> Iterator[None]:
    yield
    http.forget()


def test_a_request_and_its_answer(backing_service: Any) -> None:
    backing_service.answers = [(201, {"Retry-After": "3"}, {"ok": [1, "é"]})]

    response = request_json(
        "POST", f"{backing_service.url}/x?y=1", backing_service="es", body={"q": "₹"}, timeout_seconds=30
    )

    assert (response.status, response.body, response.headers["retry-after"]) == (201, {"ok": [1, "é"]}, "3")
    method, path, headers, _ = backing_service.requests[0]
    assert (method, path, headers["content-type"]) == ("POST", "/x?y=1", "application/json")
    assert backing_service.json() == {"q": "₹"}


def test_the_content_type_of_the_caller_stays(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, {})]

    request_json(
        "POST",
        backing_service.url,
        backing_service="es",
        body=b"{}\n",
        headers={"Content-Type": "a/b"},
        timeout_seconds=30,
    )

    assert backing_service.requests[0][2]["content-type"] == "a/b"
    assert backing_service.requests[0][3] == b"{}\n"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 200_000, b"\xff"])
def test_what_is_no_json_is_none(backing_service: Any, body: bytes) -> None:
    backing_service.answers = [(502, {}, body)]

    response = request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30)

    assert (response.status, response.body) == (502, None)


def test_redirects_are_not_followed(backing_service: Any) -> None:
    backing_service.answers = [(302, {"Location": "http://169.254.169.254/"}, b"")]

    assert request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30).status == 302


def test_an_idle_connection_that_was_closed_is_replaced(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, {"n": 1}), "drop", (200, {}, {"n": 2})]

    answers = [
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30).body for _ in range(2)
    ]

    assert answers == [{"n": 1}, {"n": 2}]


def test_a_backing_service_that_always_drops_is_down(backing_service: Any) -> None:
    backing_service.answers = ["drop"]

    with pytest.raises(BackingServiceError, match="es: the connection was lost"):
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30)
    assert len(backing_service.requests) == 2


def test_refused(closed_port: int) -> None:
    with pytest.raises(BackingServiceError, match="refused") as down:
        request_json("GET", f"http://127.0.0.1:{closed_port}/", backing_service="es", timeout_seconds=30)

    assert (down.value.backing_service, down.value.reason) == ("es", "the connection was refused")


def test_silence_ends_in_time(backing_service: Any) -> None:
    release = threading.Event()
    backing_service.answers = [lambda _handler: release.wait(60) and None]

    with pytest.raises(BackingServiceError, match="no answer in time"):
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=0.1)
    assert not release.is_set()
    release.set()


def test_a_trickle_ends_in_time(backing_service: Any) -> None:
    def trickle(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while not release.wait(0.05):
                handler.wfile.write(b"1\r\n \r\n")
                handler.wfile.flush()

    release = threading.Event()
    backing_service.answers = [trickle]

    with pytest.raises(BackingServiceError, match="no answer in time"):
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=0.2)
    release.set()


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("seconds_before", [0.0, 0.9])
def test_an_answer_that_stops_in_its_middle_ends_in_time(
    backing_service: Any, connection: str, seconds_before: float
) -> None:
    release = threading.Event()

    def stop_in_the_middle(handler: Any) -> None:
        time.sleep(seconds_before)
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.send_header("Connection", connection)
        handler.end_headers()
        handler.wfile.write(b'{"a":')
        handler.wfile.flush()
        release.wait(60)

    backing_service.answers = [stop_in_the_middle]
    started = time.monotonic()

    with pytest.raises(BackingServiceError, match="no answer in time"):
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=1)
    took = time.monotonic() - started
    release.set()
    assert took < 1.8


def test_an_answer_has_a_largest_size(backing_service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAXIMUM_RESPONSE_BYTES", 1000)
    backing_service.answers = [(200, {}, b" " * 200_000), (200, {}, {"fine": True})]

    with pytest.raises(BackingServiceError, match="too large"):
        request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30)
    assert request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30).body == {"fine": True}


def test_tls_is_verified(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, {})]

    with pytest.raises(BackingServiceError, match="TLS failed"):
        request_json("GET", backing_service.url.replace("http:", "https:"), backing_service="es", timeout_seconds=30)


def test_each_call_is_measured(backing_service: Any, closed_port: int) -> None:
    backing_service.answers = [(200, {}, {})]
    metrics = request_metrics.begin()

    request_json("GET", backing_service.url, backing_service="es", timeout_seconds=30)
    with pytest.raises(BackingServiceError):
        request_json("GET", f"http://127.0.0.1:{closed_port}", backing_service="claude", timeout_seconds=30)

    assert [(each.backing_service, each.failed) for each in metrics.calls] == [("es", False), ("claude", True)]
