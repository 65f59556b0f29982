"""`sam local start-api` is begun before the functions' variables are known, and waits for them where it reads them."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.sam import start_api
from emulator.sam.start_api import StartApi
from tests.shop import PROJECT

READS_TWICE = """
import sys
print("imported", flush=True)
for _ in range(2):
    with open(sys.argv[1]) as file:
        print(file.read(), flush=True)
"""
ENDS = "import sys; sys.exit(7)"
VARIABLES = '{"Function": {"NAME": "' + "x" * 200_000 + '"}}'  # more than a pipe takes at once


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[StatePaths]:
    paths = StatePaths(tmp_path / "state")
    paths.folder.mkdir()
    paths.sockets.mkdir(mode=0o700)
    yield paths
    shutil.rmtree(paths.sockets)


@pytest.fixture
def running(paths: StatePaths) -> RunningEmulator:
    endpoint = Endpoint("http://127.0.0.1:1", RootCredentials("A", "B"))
    return RunningEmulator(ProcessIdentity.current(), endpoint, "unix:///x", "/x", "us-east-1", "/x")


def run(
    program: str,
    paths: StatePaths,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[StartApi, Callable[[], str]], Awaitable[None]],
) -> None:
    printed = paths.folder / "printed"

    def command(*arguments: Any) -> list[str | Path]:
        variables = arguments[4]
        return ["/bin/sh", "-c", f'exec "$@" >{printed}', "sh", sys.executable, "-c", program, variables]

    monkeypatch.setattr(start_api, "start_api_command", command)

    async def prepared() -> None:
        sam = StartApi(PROJECT, paths, 3000)
        try:
            await scenario(sam, lambda: printed.read_text() if printed.exists() else "")
        finally:
            await sam.stop()

    asyncio.run(prepared())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 another process makes it so
            await asyncio.sleep(0.02)


def test_it_waits_for_the_variables_and_finds_them_again(
    paths: StatePaths, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(sam: StartApi, printed: Callable[[], str]) -> None:
        await sam.begin(running)
        await until(lambda: printed() == "imported\n")
        await asyncio.sleep(0.2)
        assert printed() == "imported\n"
        paths.sam_environment.write_text(VARIABLES)
        await sam.go_on(running)
        assert await sam.wait() == 0
        assert printed() == f"imported\n{VARIABLES}\n{VARIABLES}\n"

    run(READS_TWICE, paths, monkeypatch, scenario)


def test_one_that_was_not_begun_reads_the_file(
    paths: StatePaths, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(sam: StartApi, printed: Callable[[], str]) -> None:
        paths.sam_environment.write_text("{}")
        await sam.go_on(running)
        assert await sam.wait() == 0
        assert printed() == "imported\n{}\n{}\n"

    run(READS_TWICE, paths, monkeypatch, scenario)


def test_one_that_ended_meanwhile_is_not_waited_for(
    paths: StatePaths, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(sam: StartApi, _: Callable[[], str]) -> None:
        await sam.begin(running)
        paths.sam_environment.write_text("{}")
        async with asyncio.timeout(60):
            await sam.go_on(running)
            assert await sam.wait() == 7

    run(ENDS, paths, monkeypatch, scenario)


def test_one_that_waits_for_variables_that_never_come_ends(
    paths: StatePaths, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(sam: StartApi, printed: Callable[[], str]) -> None:
        await sam.begin(running)
        await until(lambda: printed() == "imported\n")
        began = time.monotonic()
        await sam.stop()
        assert await sam.wait() == 128 + 15
        assert time.monotonic() - began < start_api.STOP_SECONDS  # it need not be killed

    run(READS_TWICE, paths, monkeypatch, scenario)
