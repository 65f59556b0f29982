"""What a rehearsal runs against: a MiniStack of its own and the fakes of the backing services, gone when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.backing_services import BackingServices
from emulator.credentials import Endpoint
from emulator.errors import EmulatorError
from emulator.interpreters import InterpreterNotFoundError, find_interpreter
from emulator.processes.ports import Network
from emulator.project.declaration import read_declaration
from pipeline.rehearsal.errors import RehearsalError
from sam_template.repository import INSTALLED, REPOSITORY

LAUNCHER: Final = Path(__file__).with_name("ministack_launcher.py")
FOLDERS: Final = INSTALLED / "rehearsals"
"""Holds the folder of the rehearsal that runs, on the build's file system, so that copies of the build share files."""
LOCK: Final = INSTALLED / "rehearsal.lock"
_REAL_BACKING_SERVICES: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ES_URL", "ES_API_KEY", "REDIS_HOST")
"""What would make a backing service the shell's own: a rehearsal neither writes to one nor pays for one."""


@dataclass(frozen=True)
class EmulatedAccount:
    """Where the emulated account answers, the parameters that lead to the backing services, and what the secret holds.

    `folder` and, in it, `scratch` for the commands' temporary files are gone when it ends.
    """

    folder: Path
    scratch: Path
    endpoint: Endpoint
    parameters: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]]
    ministack: MiniStack


@contextlib.asynccontextmanager
async def emulated_account(types: Mapping[str, Sequence[str]]) -> AsyncIterator[EmulatedAccount]:
    """Start everything, in a folder of its own; stop it and take the folder away. Raises RehearsalError.

    `types` are those of the template, with the attributes that it asks for: what CloudFormation does not know of them
    gets a placeholder.
    """
    for name in _REAL_BACKING_SERVICES:
        os.environ.pop(name, None)
    async with contextlib.AsyncExitStack() as resources:
        resources.enter_context(alone(LOCK))
        folder = _own_folder()
        resources.callback(shutil.rmtree, folder, ignore_errors=True)
        scratch = folder / "tmp"
        scratch.mkdir()
        # For Redis's own folder too: should this process be killed, the next rehearsal clears it.
        resources.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        tempfile.tempdir = str(scratch)
        declaration = read_declaration(REPOSITORY)
        backing_services = BackingServices(declaration.backing_services, REPOSITORY, folder / "valkey.log", Network())
        ministack = MiniStack(INSTALLED, log=folder / "ministack.log", launcher=LAUNCHER, arguments=[json.dumps(types)])
        resources.push_async_callback(ministack.stop)
        try:
            outcomes = await asyncio.gather(
                ministack.start(), backing_services.start(resources), return_exceptions=True
            )
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
            await backing_services.filled()
        except (EmulatorError, MiniStackError) as error:
            raise RehearsalError(str(error)) from error
        parameters = {**backing_services.parameters, "AwsEndpointUrl": ministack.endpoint_url}
        yield EmulatedAccount(folder, scratch, ministack.endpoint, parameters, backing_services.secrets, ministack)


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the checkout for one rehearsal: two would build into one folder. Raises RehearsalError while another runs.

    The system takes the lock away with the process, whatever ends that.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RehearsalError("Another rehearsal of this checkout runs: wait until it has ended.") from error
        yield


def _own_folder() -> Path:
    """Make a folder for this process, and take away those of processes that were killed before they could."""
    shutil.rmtree(FOLDERS, ignore_errors=True)
    own = FOLDERS / str(os.getpid())
    own.mkdir(parents=True)
    return own


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
