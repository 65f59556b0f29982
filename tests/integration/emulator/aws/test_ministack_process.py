"""MiniStack answers on the loopback interface alone, says why it cannot start, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from pathlib import Path

import psutil
import pytest

from emulator.aws.ministack import HEALTH_PATH, MiniStack, MiniStackError
from sam_template.repository import REPOSITORY

INSTALLED = REPOSITORY / ".local"


def test_it_listens_on_the_loopback_interface_only(ministack: MiniStack) -> None:
    port = int(ministack.endpoint_url.rpartition(":")[2])
    listening = {tuple(c.laddr) for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert [address for address in listening if address[1] == port] == [("127.0.0.1", port)]
    with urllib.request.urlopen(ministack.endpoint_url + HEALTH_PATH) as answer:
        assert answer.status == 200


def test_it_stops_with_everything_it_wrote(tmp_path: Path) -> None:
    async def run() -> tuple[int, Path]:
        async with MiniStack(INSTALLED, log=tmp_path / "log") as server:
            assert server._process is not None
            assert server._scratch.is_dir()
            return server._process.pid, server._scratch

    pid, scratch = asyncio.run(run())
    assert not psutil.pid_exists(pid)
    assert not scratch.exists()


def test_a_busy_port_is_told_with_its_own_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = MiniStack(INSTALLED, log=tmp_path / "log", port=taken.getsockname()[1])
        with pytest.raises(MiniStackError, match=r"MiniStack ended while it started: .*\(all of it: .*log\)"):
            asyncio.run(server.start())


def test_its_end_is_noticed(tmp_path: Path) -> None:
    async def run() -> int:
        async with MiniStack(INSTALLED, log=tmp_path / "log") as server:
            assert server._process is not None
            (child,) = psutil.Process(server._process.pid).children()
            child.kill()
            return await asyncio.wait_for(server.wait(), 60)

    assert asyncio.run(run()) == 128 + 9


def answer_to(ministack: MiniStack, *parts: bytes) -> bytes:
    """Send the parts, each once the server has answered to the one before; return all that it answered."""
    answered = b""
    with socket.create_connection((ministack.host, ministack.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
            answered += connection.recv(65536)
    return answered


def test_an_answer_has_one_date_and_names_no_server_of_this_machine(ministack: MiniStack) -> None:
    head = answer_to(ministack, f"GET {HEALTH_PATH} HTTP/1.1\r\nHost: {ministack.host}\r\n\r\n".encode()).lower()
    assert head.startswith(b"http/1.1 200 ok\r\n")
    assert head.count(b"\r\ndate: ") == 1
    assert b"\r\nserver: " not in head


@pytest.mark.parametrize(("origin", "is_told"), [(b"", False), (b"Origin: http://shop.example\r\n", True)])
def test_a_browser_alone_is_told_what_it_may_do(ministack: MiniStack, origin: bytes, is_told: bool) -> None:
    request = f"OPTIONS / HTTP/1.1\r\nHost: {ministack.host}\r\n".encode() + origin + b"\r\n"
    assert (b"\r\naccess-control-" in answer_to(ministack, request).lower()) == is_told


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(ministack: MiniStack) -> None:
    head = f"PUT /bucket/key HTTP/1.1\r\nHost: {ministack.host}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    answer = answer_to(ministack, head.encode(), b"{}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 ")  # nobody signed it
