"""What a command shows that uses an emulator in the background."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from emulator.commands.foreground import emulator
from emulator.control import ControlServer
from emulator.credentials import Endpoint, RootCredentials
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.state_lock import StateLock
from tests.shop import PROJECT

NOWHERE = Endpoint("http://127.0.0.1:1", RootCredentials.random())


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths(tmp_path)


@contextlib.asynccontextmanager
async def running(paths: StatePaths) -> AsyncIterator[None]:
    """An emulator that runs already, as far as other commands see it."""
    lock = StateLock.take(paths)
    assert lock is not None

    async def identity(_: str) -> dict[str, object]:
        return asdict(lock.owner)

    with lock:
        async with ControlServer(paths.control_socket, {"identity": identity}):
            paths.write_running(RunningEmulator(lock.owner, NOWHERE, None, str(paths.control_socket), "us-east-1", ""))
            yield


def test_what_it_says_meanwhile_is_shown(paths: StatePaths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.log.write_text("said before\n")

    async def use() -> None:
        async with running(paths), emulator(PROJECT, paths):
            with paths.log.open("a") as log:
                log.write("InventoryFunction may not call …\n")
                log.flush()
                async with asyncio.timeout(60):
                    while not (shown := capsys.readouterr().err):  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert shown == "InventoryFunction may not call …\n"
                log.write("with its last breath\n")

    asyncio.run(use())
    assert capsys.readouterr().err == "with its last breath\n"


def test_one_of_another_terminal_shows_it_there(paths: StatePaths, capsys: pytest.CaptureFixture[str]) -> None:
    async def use() -> RunningEmulator:
        async with running(paths), emulator(PROJECT, paths) as (used, _):
            return used

    assert asyncio.run(use()).process.pid == os.getpid()
    assert capsys.readouterr().err == ""
