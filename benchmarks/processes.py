"""Commands that are timed, servers that are started: none outlives the benchmark, every wait ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.plan import BenchmarkError
from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK, accepts, free_port
from emulator.project.paths import STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam.sam_cli import FOREIGN_VARIABLES, TOOLS, process_environment, start_api_command
from sam_template.repository import REPOSITORY, TEMPLATE
from tools.declared_function import DeclaredFunction, read_function

PYTHON = TOOLS / "python"
SAM = TOOLS / "sam"
FUNCTION = "InventoryFunction"
BUILD = REPOSITORY / ".aws-sam" / "build"
EVENTS = REPOSITORY / "events" / "inventory"
COMMAND_SECONDS = 60
_STOP_SECONDS = 15
_POLL_SECONDS = 0.005
_TAIL_CHARACTERS = 800
_FROM_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")

T = TypeVar("T")


@dataclass(frozen=True)
class Done:
    """A command that ended with status 0, the time that it took from its start to its end, and what it printed."""

    seconds: float
    output: str


def environment(paths: StatePaths) -> dict[str, str]:
    """Return the environment of a developer's shell in which the emulator keeps to `paths`."""
    left_out = (*FOREIGN_VARIABLES, *_FROM_MAKE)
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    own = {STATE_FOLDER_VARIABLE: str(paths.folder), "SAM_CLI_TELEMETRY": "0"}
    return inherited | own | {"THROTTLE": "off"}  # a benchmark is quicker than the template's throttle


async def timed(command: Sequence[str | Path], variables: Mapping[str, str], folder: Path) -> Done:
    """Run `command` in the repository, its output kept in `folder`.

    Raises `BenchmarkError` when it fails or takes more than `COMMAND_SECONDS`.
    """
    printed = folder / "command.txt"
    printed.unlink(missing_ok=True)
    began = time.perf_counter()
    async with attached(command, variables, printed) as process:
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                status = await process.wait()
        except TimeoutError:
            raise BenchmarkError(f"{_line(command)} took more than {COMMAND_SECONDS} s.") from None
        took = time.perf_counter() - began
    if status:
        raise BenchmarkError(f"{_line(command)} ended with status {status}: {_tail(printed)}")
    return Done(took, printed.read_text(errors="replace"))


@contextlib.asynccontextmanager
async def attached(
    command: Sequence[str | Path], variables: Mapping[str, str], printed: Path, *, cwd: Path = REPOSITORY
) -> AsyncIterator[AttachedProcess]:
    """Run `command` for the length of the block, what it prints appended to `printed`."""
    with printed.open("ab") as output:
        process = await AttachedProcess.start(command, env=variables, cwd=cwd, stdout=output, stderr=output)
    try:
        yield process
    finally:
        await process.terminate(_STOP_SECONDS)


async def until(found: Callable[[], T | None], process: AttachedProcess, printed: Path, awaited: str) -> T:
    """Return the first value of `found` that is not None.

    Raises `BenchmarkError` when `process` ends before, or after `COMMAND_SECONDS`.
    """
    deadline = time.monotonic() + COMMAND_SECONDS
    while (value := found()) is None:
        if process.returncode is not None:
            raise BenchmarkError(f"No {awaited}, it ended with status {process.returncode}: {_tail(printed)}")
        if time.monotonic() > deadline:
            raise BenchmarkError(f"No {awaited} within {COMMAND_SECONDS} s: {_tail(printed)}")
        await asyncio.sleep(_POLL_SECONDS)
    return value


@contextlib.asynccontextmanager
async def emulated(folder: Path, *, repository: Path = REPOSITORY) -> AsyncIterator[tuple[StatePaths, RunningEmulator]]:
    """Run the backing services and the engine of `repository` for the length of the block, its state below `folder`."""
    paths = StatePaths(folder / "state")
    printed = folder / "emulator.txt"
    command = (PYTHON, "-m", "emulator", "serve")
    async with attached(command, environment(paths), printed, cwd=repository) as process:
        yield paths, await until(paths.running, process, printed, "emulator")


@contextlib.asynccontextmanager
async def start_api(
    folder: Path, paths: StatePaths, running: RunningEmulator, *options: str | Path, repository: Path = REPOSITORY
) -> AsyncIterator[int]:
    """Run `sam local start-api` with `options` for the length of the block; yield its port once it listens."""
    port, printed = free_port(), folder / "start-api.txt"
    command = [*start_api_command(Project.open(repository), paths, running, port), *options]
    async with attached(command, process_environment(running), printed, cwd=repository) as process:
        await until(lambda: accepts(port) or None, process, printed, f"answer on {LOOPBACK}:{port}")
        yield port


def invoke_command(paths: StatePaths, event: str, *options: str | Path) -> list[str | Path]:
    """Return `sam local invoke` of the inventory function with the fixture `event`."""
    command: list[str | Path] = [SAM, "local", "invoke", FUNCTION, "--event", EVENTS / event]
    return [*command, "--env-vars", paths.sam_environment, *options]


def declared_function() -> DeclaredFunction:
    """Return what the template says of the inventory function."""
    return read_function(TEMPLATE, FUNCTION)


def _line(command: Sequence[str | Path]) -> str:
    return " ".join(part.name if isinstance(part, Path) else part for part in command)


def _tail(printed: Path) -> str:
    text = printed.read_text(errors="replace").strip()[-_TAIL_CHARACTERS:]
    return text.replace(str(REPOSITORY), ".") or "it printed nothing."
