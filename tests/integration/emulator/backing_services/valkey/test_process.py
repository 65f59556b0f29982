"""Valkey answers on the loopback interface alone, says why it cannot start, and leaves nothing behind."""

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

from emulator.backing_services import valkey as module
from emulator.backing_services.valkey import SERVER_VARIABLE, Valkey, ValkeyError
from sam_template.repository import REPOSITORY
from tests.integration.emulator.backing_services.valkey.conftest import COMMANDS

each_server = pytest.mark.parametrize("command", COMMANDS)


def test_the_packaged_server_runs_without_a_choice(tmp_path: Path) -> None:
    async def run() -> str:
        async with Valkey(log=tmp_path / "log") as valkey:
            return valkey.version

    assert asyncio.run(run()).startswith("Valkey 9.")


def test_it_listens_on_the_loopback_interface_only(valkey: Valkey) -> None:
    listening = {tuple(c.laddr) for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert [address for address in listening if address[1] == valkey.port] == [("127.0.0.1", valkey.port)]


@each_server
def test_it_stops_with_everything_it_wrote(command: str | None, tmp_path: Path) -> None:
    async def run() -> int:
        async with Valkey(log=tmp_path / "log", command=command) as valkey:
            assert valkey._process is not None
            assert (tmp_path / "log-scratch").is_dir()
            return valkey._process.pid

    assert not psutil.pid_exists(asyncio.run(run()))
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    left = tmp_path / "log-scratch" / "dump.rdb"
    left.parent.mkdir()
    left.write_text("left")

    async def run() -> None:
        async with Valkey(log=tmp_path / "log"):
            assert not left.exists()

    asyncio.run(run())


def test_its_end_is_noticed(tmp_path: Path) -> None:
    async def run() -> int:
        async with Valkey(log=tmp_path / "log") as valkey:
            assert valkey._process is not None
            (child,) = psutil.Process(valkey._process.pid).children()
            child.kill()
            return await asyncio.wait_for(valkey.wait(), 60)

    assert asyncio.run(run()) == 128 + 9


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    parent = (
        "import asyncio, pathlib, sys\n"
        "from emulator.backing_services.valkey import Valkey\n"
        "async def main():\n"
        "    async with Valkey(log=pathlib.Path(sys.argv[1])) as valkey:\n"
        "        print(valkey.port, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, tmp_path / "log"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    pytest.fail("Valkey still answers")


@each_server
def test_a_busy_port_is_told_with_its_own_words(command: str | None, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        valkey = Valkey(log=tmp_path / "log", command=command, port=taken.getsockname()[1])
        with pytest.raises(ValkeyError, match=r"Valkey ended while it started: .*\(all of it: .*log\)"):
            asyncio.run(valkey.start())


def test_a_setting_that_it_does_not_know_is_told_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(ValkeyError, match=r"Valkey ended while it started: .*Bad directive"):
        asyncio.run(Valkey(log=tmp_path / "log", settings=["no-such-setting yes"]).start())


def test_the_password_is_on_no_command_line_and_in_no_file(valkey: Valkey) -> None:
    assert valkey._process is not None
    watcher = psutil.Process(valkey._process.pid)
    for process in (watcher, *watcher.children()):
        assert "wörd" not in " ".join(process.cmdline())
    for file in valkey._scratch.rglob("*"):
        assert "wörd".encode() not in file.read_bytes()


def test_the_environment_chooses_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "my-server"
    chosen.write_text(f'#!/bin/sh\necho "chosen: $*"\nexec {module._executable(None)} "$@"\n')
    chosen.chmod(0o755)
    monkeypatch.setenv(SERVER_VARIABLE, str(chosen))

    async def run() -> None:
        async with Valkey(log=tmp_path / "log"):
            assert (tmp_path / "log").read_text().startswith("chosen: -\n")

    asyncio.run(run())


def test_a_command_that_is_not_there_is_told_with_the_remedy(tmp_path: Path) -> None:
    remedy = "VALKEY_SERVER=redis-serve is no command: install it, or leave VALKEY_SERVER away"
    with pytest.raises(ValkeyError, match=remedy):
        asyncio.run(Valkey(log=tmp_path / "log", command="redis-serve").start())


def test_a_package_without_a_server_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValkeyError, match="install Valkey and set VALKEY_SERVER=valkey-server"):
        asyncio.run(Valkey(log=tmp_path / "log").start())
