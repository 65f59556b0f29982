"""`make smoke` passes against a right shop and fails, naming the check, against each wrong one."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from emulator.processes.ports import free_port
from pipeline.smoke.__main__ import KEY_VARIABLE, main
from pipeline.smoke.checks import guarded
from pipeline.smoke.client import Deployment, UnexpectedError, UnreachableError
from tests.unit.pipeline.smoke.fake_shop import KEY, PROBLEM, FakeShop, Reply, refused

CHECKS = 11
NO_URLS = ("http://shop:x", "http://[::1", "http://a b", "http://me:secret@shop", "http://shop/ä", "http://shop:0")


@pytest.fixture(autouse=True)
def api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.delenv("CORS_ORIGIN", raising=False)


def smoke(shop: FakeShop) -> int:
    return main([shop.url, "--wait", "0"])


def test_a_right_shop_passes_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeShop() as shop:
        assert smoke(shop) == 0
    assert capsys.readouterr().out.count("ok ") == CHECKS
    assert not shop.items


@pytest.mark.parametrize(
    ("route", "answer", "check", "came"),
    [
        ("GET /", (200, {}, {"service": "another"}), "alive", "another"),
        ("GET /health", (500, {}, {"message": "Internal Server Error"}), "alive", "Internal Server Error"),
        ("GET /health", (200, {}, b"<html>"), "alive", "expected JSON"),
        ("GET /health", (200, {}, b"[" * 200_000), "alive", "expected JSON"),
        ("GET /health", (301, {"location": "https://other"}, None), "alive", "301 to https://other"),
        ("GET /health", (500, {}, b"\x1b[31mred"), "alive", "500 [31mred"),
        (
            "GET /health/ready",
            (503, {}, {"backing_services": {"redis": {"status": "down"}, "anthropic": {"status": "up"}}}),
            "ready",
            "down: redis",
        ),
        ("GET /openapi.json", (200, {}, {"paths": {}}), "OpenAPI document", "/inventory/{sku}"),
        ("POST /inventory", (500, {}, None), "writes need the key", "500"),
        ("POST /inventory", (201, {}, {}), "writes need the key", "201"),
        ("GET /inventory/{sku}", (200, {}, {"sku": "X"}), "an item's life", "None"),
        ("POST /inventory/{sku}/adjustments", (200, {}, {"qty": 1}), "an item's life", "came 1"),
        ("DELETE /inventory/{sku}", (503, {}, {}), "an item's life", "503"),
        ("GET /inventory", (422, {}, {"detail": "No."}), "an error response", "application/json"),
        ("GET /inventory", (200, {}, {"items": []}), "an error response", "200"),
        ("GET /file", (404, PROBLEM, {"message": "Not Found"}), "a missing file", "detail"),
        ("GET /file", (403, {}, b"AccessDenied"), "a missing file", "403"),
        ("POST /products/search", (200, {}, {"products": []}), "product search", "how many"),
        ("POST /products/search", (200, {}, []), "product search", "another shape"),
        ("POST /chat", (503, {}, {"response_type": "error"}), "conversation", "503"),
        ("POST /chat", (200, {}, {"response_type": "error", "session_id": "s"}), "conversation", "error"),
        ("GET /chat/ui", (200, {"content-type": "application/json"}, {}), "chat page", "application/json"),
        ("OPTIONS /inventory", (204, {}, None), "CORS preflight", "--origin"),
        ("OPTIONS /inventory", refused(404), "CORS preflight", "404"),
    ],
)
def test_a_wrong_answer_fails_its_check(
    capsys: pytest.CaptureFixture[str], route: str, answer: Reply, check: str, came: str
) -> None:
    with FakeShop({route: answer}) as shop:
        assert smoke(shop) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert check in failed[0]
    assert came in failed[0]


def test_an_item_is_deleted_also_when_its_check_fails() -> None:
    with FakeShop({"POST /inventory/{sku}/adjustments": (500, {}, None)}) as shop:
        assert smoke(shop) == 1
    assert not shop.items


def test_an_item_is_deleted_also_when_the_time_is_over() -> None:
    with FakeShop() as shop:
        late = Deployment(shop.url, api_key=KEY, deadline=time.monotonic())
        with pytest.raises(UnreachableError, match="--deadline"):
            late.request("GET", "/")
        assert late.request("DELETE", "/inventory/SMOKE-1", with_key=True, cleans=True).status == 200


def test_without_the_key_the_writes_are_said_not_to_be_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    with FakeShop() as shop:
        assert smoke(shop) == 0
    assert f"NOT CHECKED: writes need the key, and {KEY_VARIABLE} is not set" in capsys.readouterr().out


def test_a_local_shop_may_take_writes_without_a_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    with FakeShop(needs_key=False) as shop:
        assert smoke(shop) == 0
    assert "NOT CHECKED" not in capsys.readouterr().out


def test_a_deployed_shop_that_anyone_can_write_to_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeShop(needs_key=False) as shop:
        monkeypatch.setattr(Deployment, "is_local", False)
        with pytest.raises(UnexpectedError, match="anyone can write"):
            guarded(Deployment(shop.url))


def test_the_key_is_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeShop({"GET /inventory": (200, {}, {"echo": KEY})}) as shop:
        assert smoke(shop) == 1
    out = capsys.readouterr().out
    assert "(the key)" in out
    assert KEY not in out


def test_a_deadline_ends_the_checks(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeShop() as shop:
        assert main([shop.url, "--wait", "0", "--deadline", "0"]) == 1
    assert "--deadline" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["", "shop", "ftp://shop", "http://", "http://shop?x=1", *NO_URLS])
def test_what_is_no_url_is_refused_with_an_example(capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main([url, "--wait", "0"]) == 1
    assert "make smoke URL=http://127.0.0.1:3000" in capsys.readouterr().err


def test_nothing_that_listens_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"http://127.0.0.1:{free_port()}", "--wait", "0"]) == 1
    captured = capsys.readouterr()
    assert "Nothing listens at" in captured.err
    assert captured.err.count("\n") == 1


def test_https_where_http_is_spoken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeShop() as shop:
        assert main([shop.url.replace("http:", "https:"), "--wait", "0"]) == 1
    assert "does not speak TLS" in capsys.readouterr().err


@contextmanager
def listener(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Serve what `answer` does with each connection; yield its URL."""

    def serve() -> None:
        while True:
            try:
                connection = listening.accept()[0]
            except OSError:
                return
            with connection, suppress(OSError):  # who asked may be gone
                connection.recv(65536)
                answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x01 not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{}",
        b"",
    ],
)
def test_an_answer_that_is_not_http_is_one_sentence(capsys: pytest.CaptureFixture[str], answer: bytes) -> None:
    with listener(lambda connection: connection.sendall(answer)) as url:
        assert main([url, "--wait", "0"]) == 1
    captured = capsys.readouterr()
    assert "check the URL and" in captured.err
    assert captured.err.count("\n") == 1


def test_an_answer_that_never_ends_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n")
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.1)

    with listener(drip) as url:
        began = time.monotonic()
        assert main([url, "--wait", "0", "--deadline", "1"]) == 1
        assert time.monotonic() - began < 30, "the answer takes sixty seconds"
    # A slow machine may use the second up before it asks.
    assert re.search("did not answer within 1 s|time for all checks is over", capsys.readouterr().err)


def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "two\nlines")
    with FakeShop() as shop:
        assert smoke(shop) == 1
    assert KEY_VARIABLE in (said := capsys.readouterr().err)
    assert "two" not in said


def test_a_shop_that_is_not_there_yet_is_waited_for() -> None:
    replies: list[Reply] = [refused(503), refused(404)]

    class Late(FakeShop):
        def _right(self, route: str, *rest: object) -> Reply:
            if route == "GET /" and replies:
                return replies.pop()
            return super()._right(route, *rest)  # type: ignore[arg-type]

    with Late() as shop:
        assert main([shop.url, "--wait", "5"]) == 0
    assert not replies
