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
            return await asyncio.wait_for(server.wait(), 5)

    assert asyncio.run(run()) == 128 + 9
