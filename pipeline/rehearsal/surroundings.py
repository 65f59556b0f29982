"""What a rehearsal runs against: a MiniStack of its own and the stand-ins of the neighbours, gone when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.errors import EmulatorError
from emulator.home import INSTALLED
from emulator.neighbours import Neighbours
from emulator.ports import Network
from pipeline.rehearsal.errors import RehearsalError
from tools.interpreters import InterpreterNotFoundError, find_interpreter

LAUNCHER: Final = Path(__file__).with_name("ministack_launcher.py")
FOLDERS: Final = INSTALLED / "rehearsals"
"""A folder for each rehearsal that runs; on the build's file system, so that copies of the build share its files."""
_REAL_NEIGHBOURS: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ES_URL", "ES_API_KEY", "REDIS_HOST")
"""What would make a neighbour the shell's own: a rehearsal neither writes to one nor pays for one."""


@dataclass(frozen=True)
class Surroundings:
    """Where the emulated account answers, the parameters that lead to the neighbours, and what the secret holds."""

    folder: Path
    endpoint_url: str
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]
    ministack: MiniStack


@contextlib.asynccontextmanager
async def surroundings() -> AsyncIterator[Surroundings]:
    """Start everything, in a folder of its own; stop it and take the folder away. Raises RehearsalError."""
    for name in _REAL_NEIGHBOURS:
        os.environ.pop(name, None)
    async with contextlib.AsyncExitStack() as resources:
        folder = _own_folder()
        resources.callback(shutil.rmtree, folder, ignore_errors=True)
        neighbours = Neighbours(folder / "redis.log", Network())
        ministack = MiniStack(INSTALLED, log=folder / "ministack.log", launcher=LAUNCHER)
        resources.push_async_callback(ministack.stop)
        try:
            outcomes = await asyncio.gather(ministack.start(), neighbours.start(resources), return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        except (EmulatorError, MiniStackError) as error:
            raise RehearsalError(str(error)) from error
        parameters = {**neighbours.parameters, "AwsEndpointUrl": ministack.endpoint_url}
        yield Surroundings(folder, ministack.endpoint_url, parameters, neighbours.secrets, ministack)


def _own_folder() -> Path:
    """Make a folder for this process, and take away those of processes that were killed before they could."""
    FOLDERS.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS.iterdir():
        if not _runs(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    own = FOLDERS / str(os.getpid())
    own.mkdir()
    return own


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(process) != os.getpid()


def require_same_python(runtime: str) -> None:
    """Raise RehearsalError unless the functions are packaged for the Python that runs them here, MiniStack's own."""
    python = INSTALLED / "ministack" / "bin" / "python"
    try:
        packaged_for = find_interpreter(runtime).version
        probe: list[str | Path] = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        runs = subprocess.run(probe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except InterpreterNotFoundError as error:
        raise RehearsalError(str(error)) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise RehearsalError("MiniStack is not installed; run `make setup`.") from error
    if packaged_for != runs:
        raise RehearsalError(
            f"Functions are packaged here for Python {packaged_for} and MiniStack runs on {runs}: "
            f"install {runtime}, delete .venv and .local/ministack, and run `make setup`."
        )
