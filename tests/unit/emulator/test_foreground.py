"""What a command shows that uses an emulator in the background."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from emulator.foreground import emulator
from emulator.paths import RunningEmulator, StatePaths


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    """The state folder of an emulator that runs already."""
    paths = StatePaths(tmp_path)
    paths.write_running(RunningEmulator(os.getpid(), "http://127.0.0.1:1", None, "control.sock"))
    return paths


def test_what_it_says_meanwhile_is_shown(paths: StatePaths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.log.write_text("said before\n")

    async def use() -> None:
        async with emulator(paths):
            with paths.log.open("a") as log:
                log.write("InventoryFunction may not call …\n")
                log.flush()
                async with asyncio.timeout(5):
                    while not (shown := capsys.readouterr().err):  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert shown == "InventoryFunction may not call …\n"
                log.write("with its last breath\n")

    asyncio.run(use())
    assert capsys.readouterr().err == "with its last breath\n"


def test_one_of_another_terminal_shows_it_there(paths: StatePaths, capsys: pytest.CaptureFixture[str]) -> None:
    async def use() -> RunningEmulator:
        async with emulator(paths) as (running, _):
            return running

    assert asyncio.run(use()).pid == os.getpid()
    assert capsys.readouterr().err == ""
