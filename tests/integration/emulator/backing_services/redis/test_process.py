"""Redis answers on the loopback interface alone, says why it cannot start, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from emulator.backing_services.redis import SERVER_VARIABLE, Redis, RedisError
from sam_template.repository import REPOSITORY
from tests.integration.emulator.backing_services.redis.conftest import AVAILABLE

each_server = pytest.mark.parametrize("server", AVAILABLE)


def test_it_says_what_it_is(redis: Redis) -> None:
    name, _, version = redis.kind.partition(" ")
    assert (name, bool(version)) in {("embedded", False), ("redis-server", True)}


def test_it_listens_on_the_loopback_interface_only(redis: Redis) -> None:
    listening = {tuple(c.laddr) for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert [address for address in listening if address[1] == redis.port] == [("127.0.0.1", redis.port)]


@each_server
def test_it_stops_with_everything_it_wrote(server: str, tmp_path: Path) -> None:
    async def run() -> tuple[int, Path]:
        async with Redis(log=tmp_path / "log", server=server) as redis:
            assert redis._process is not None
            assert redis._scratch is not None
            return redis._process.pid, Path(redis._scratch.name)

    pid, scratch = asyncio.run(run())
    assert not psutil.pid_exists(pid)
    assert not scratch.exists()


@each_server
def test_its_end_is_noticed(server: str, tmp_path: Path) -> None:
    async def run() -> int:
        async with Redis(log=tmp_path / "log", server=server) as redis:
            assert redis._process is not None
            (child,) = psutil.Process(redis._process.pid).children()
            child.kill()
            return await asyncio.wait_for(redis.wait(), 5)

    assert asyncio.run(run()) == 128 + 9


@each_server
def test_it_dies_with_its_parent(server: str, tmp_path: Path) -> None:
    parent = (
        "import asyncio, pathlib, sys\n"
        "from emulator.backing_services.redis import Redis\n"
        "async def main():\n"
        "    async with Redis(log=pathlib.Path(sys.argv[1]), server=sys.argv[2]) as redis:\n"
        "        print(redis.port, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, tmp_path / "log", server], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    pytest.fail("Redis still answers")


@each_server
def test_a_busy_port_is_told_with_its_own_words(server: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        redis = Redis(log=tmp_path / "log", server=server, port=taken.getsockname()[1])
        with pytest.raises(RedisError, match=r"Redis (ended while it started: .*\(all of it: .*log\)|did not answer)"):
            asyncio.run(redis.start())


def test_the_password_is_on_no_command_line(redis: Redis) -> None:
    assert redis._process is not None
    watcher = psutil.Process(redis._process.pid)
    for process in (watcher, *watcher.children()):
        assert "wörd" not in " ".join(process.cmdline())


def test_the_environment_chooses_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, "embedded")

    async def run() -> str:
        async with Redis(log=tmp_path / "log") as redis:
            return redis.kind

    assert asyncio.run(run()) == "embedded"


def test_a_server_that_is_not_there_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RedisError, match="redis-server is not on PATH: install it, or use SHOP_REDIS=embedded"):
        asyncio.run(Redis(log=tmp_path / "log", server="redis-server").start())
    with pytest.raises(RedisError, match="SHOP_REDIS=valkey is no Redis server: use embedded or redis-server"):
        asyncio.run(Redis(log=tmp_path / "log", server="valkey").start())
