"""What the emulator needs and its distribution does not carry: MiniStack and the clients of Lambda's runtimes.

They are installed at the first use, from locked requirements, into a folder that all projects share.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from emulator.engine.errors import EngineError
from emulator.engine.runtime_client import ensure_runtime_client, has_runtime_client, install_command
from emulator.errors import EmulatorError
from emulator.interpreters import InterpreterNotFoundError, find_interpreter

MINISTACK: Final = "ministack"
REQUIREMENTS: Final = Path(__file__).parent / "aws" / "requirements.txt"
_STAMP: Final = ".requirements-sha256"
_UNFINISHED: Final = f".{MINISTACK}-"


def ensure_installed(folder: Path, runtimes: Iterable[str]) -> None:
    """Have MiniStack and the client of each of `runtimes` (`python3.13`) in `folder`; say so when it takes its time.

    One process installs at a time, others wait. What is there is complete, whatever ends this process. Raises
    EmulatorError when the package index does not answer.
    """
    try:
        interpreters = {find_interpreter(runtime) for runtime in runtimes if runtime.startswith("python")}
    except InterpreterNotFoundError as error:
        raise EmulatorError(str(error)) from error
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_current(folder) and all(has_runtime_client(one, folder) for one in interpreters):
        return
    with _alone(folder):
        if not _is_current(folder):
            _say("Installing MiniStack, once for this machine ...")
            _install_ministack(folder)
        for interpreter in interpreters:
            if not has_runtime_client(interpreter, folder):
                _say(f"Installing what Lambda's {interpreter.runtime} carries, once for this machine ...")
            try:
                ensure_runtime_client(interpreter, folder)
            except EngineError as error:
                raise EmulatorError(str(error)) from error


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "install.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another emulator installs what both need; this one waits for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _stamp() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _is_current(folder: Path) -> bool:
    try:
        return (folder / MINISTACK / _STAMP).read_text() == _stamp()
    except OSError:
        return False


def _install_ministack(folder: Path) -> None:
    for left in folder.glob(f"{_UNFINISHED}*"):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    try:
        environment = fresh / "environment"
        python = environment / "bin" / "python"
        _run(install_command("venv", "--relocatable", "--python", sys.executable, str(environment)))
        options = ["--python", str(python), "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
        _run(install_command("pip", "install", *options))
        (environment / _STAMP).write_text(_stamp())
        place = folder / MINISTACK
        if place.exists():
            place.rename(fresh / "old")
        environment.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split())[-300:]
        raise EmulatorError(
            "MiniStack could not be installed: check the network, or name your package index in UV_DEFAULT_INDEX "
            f"({reason})."
        )
