import asyncio
import errno
import shutil
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver

from emulator.engine.code_watch import CodeWatch

LONG_SECONDS = 5.0
QUIET_SECONDS = 0.6


class Watched:
    """A folder under watch; counts its changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes = 0

    def change(self) -> None:
        self.changes += 1

    async def until(self, changes: int) -> None:
        deadline = time.monotonic() + LONG_SECONDS
        while self.changes < changes:
            assert time.monotonic() < deadline, f"{self.changes} of {changes} changes were seen"
            await asyncio.sleep(0.01)


def watching(
    tmp_path: Path, scenario: Callable[[Watched], Coroutine[Any, Any, None]], since: float | None = None
) -> None:
    async def run() -> None:
        folder = tmp_path / "function"
        (folder / "package").mkdir(parents=True)
        (folder / "package" / "module.py").write_text("one")
        watched = Watched(folder)
        watch = CodeWatch(folder, watched.change)
        await watch.start(time.time() + 60 if since is None else since)
        try:
            await scenario(watched)
        finally:
            await watch.stop()

    asyncio.run(run())


def test_a_written_file_is_a_change_and_many_at_once_are_one(tmp_path: Path) -> None:
    async def scenario(watched: Watched) -> None:
        for number in range(20):
            (watched.folder / "package" / f"new{number}.py").write_text("x")
        await watched.until(1)
        await asyncio.sleep(QUIET_SECONDS)
        assert watched.changes == 1
        (watched.folder / "package" / "module.py").write_text("two")
        await watched.until(2)

    watching(tmp_path, scenario)


@pytest.mark.parametrize("how", ["read", "bytecode"])
def test_what_an_import_does_is_no_change(tmp_path: Path, how: str) -> None:
    async def scenario(watched: Watched) -> None:
        if how == "read":
            (watched.folder / "package" / "module.py").read_text()
        else:
            (watched.folder / "package" / "__pycache__").mkdir()
            (watched.folder / "package" / "__pycache__" / "module.cpython-313.pyc").write_text("x")
        await asyncio.sleep(QUIET_SECONDS)
        assert watched.changes == 0

    watching(tmp_path, scenario)


def test_a_folder_that_is_removed_and_made_again_is_still_watched(tmp_path: Path) -> None:
    async def scenario(watched: Watched) -> None:
        shutil.rmtree(watched.folder)
        await asyncio.sleep(0.1)
        (watched.folder / "package").mkdir(parents=True)
        await asyncio.sleep(QUIET_SECONDS)
        seen = watched.changes
        assert seen >= 1
        (watched.folder / "package" / "module.py").write_text("two")
        await watched.until(seen + 1)

    watching(tmp_path, scenario)


def test_what_changed_before_the_watch_began_is_seen(tmp_path: Path) -> None:
    async def scenario(watched: Watched) -> None:
        await watched.until(1)

    watching(tmp_path, scenario, since=time.time() - 60)


@pytest.mark.parametrize("at", ["the start", "a new build"])
def test_what_the_system_refuses_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    async def run() -> None:
        folder = tmp_path / "function"
        folder.mkdir()
        watch = CodeWatch(folder, lambda: None)
        if at == "the start":
            exhaust(monkeypatch)
        await watch.start(time.time() + 60)
        try:
            if at == "a new build":
                assert watch.failure == ""
                exhaust(monkeypatch)
                shutil.rmtree(folder)
                folder.mkdir()
            deadline = time.monotonic() + LONG_SECONDS
            while not watch.failure:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
        finally:
            await watch.stop()
        assert "sudo sysctl fs.inotify.max_user_watches=" in watch.failure

    asyncio.run(run())


def exhaust(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing more can be watched."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(BaseObserver, "schedule", refuse)


def test_nothing_is_called_after_the_end(tmp_path: Path) -> None:
    async def run() -> None:
        watched = Watched(tmp_path)
        watch = CodeWatch(tmp_path, watched.change)
        await watch.start(time.time() + 60)
        (tmp_path / "new.py").write_text("x")
        await asyncio.sleep(0.05)
        await watch.stop()
        await asyncio.sleep(QUIET_SECONDS)
        assert watched.changes == 0

    asyncio.run(run())
