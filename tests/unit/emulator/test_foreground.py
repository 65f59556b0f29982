"""The screen of a command that uses an emulator in the background."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from emulator.foreground import emulator
from emulator.paths import Home, Running


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The home of an emulator that runs already."""
    home = Home(tmp_path)
    home.write_running(Running(os.getpid(), "http://127.0.0.1:1", None, "control.sock"))
    return home


def test_what_it_says_meanwhile_is_shown(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.log.write_text("said before\n")

    async def use() -> None:
        async with emulator(home):
            with home.log.open("a") as log:
                log.write("InventoryFunction may not call …\n")
                log.flush()
                async with asyncio.timeout(5):
                    while not (shown := capsys.readouterr().err):  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert shown == "InventoryFunction may not call …\n"
                log.write("with its last breath\n")

    asyncio.run(use())
    assert capsys.readouterr().err == "with its last breath\n"


def test_one_of_another_terminal_shows_it_there(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    async def use() -> Running:
        async with emulator(home) as (running, _):
            return running

    assert asyncio.run(use()).pid == os.getpid()
    assert capsys.readouterr().err == ""
