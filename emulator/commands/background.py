"""The emulator in the background: `up` starts it, `down` stops it."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from emulator.errors import EmulatorError, sentence_of
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.state_lock import StateLock, holder

START_SECONDS = 60
STOP_SECONDS = 15
_KILLED_SECONDS = 5
_ROOM_FOR_A_SENTENCE = 4096
_POLL_SECONDS = 0.02
# By its path and not by its name: a project may have modules of the same names as those of the emulator.
_EMULATOR = (sys.executable, "-P", str(Path(__file__).resolve().parents[1] / "__main__.py"))


def up(project: Project, paths: StatePaths) -> RunningEmulator:
    """Start an emulator that outlives this command, unless one runs; return it.

    Raises `EmulatorError` with the reason that its log gives when it does not start.
    """
    lock = StateLock.take(paths)
    if lock is None:
        running, lock = _running_or_lock(paths)
        if running is not None:
            return running
    assert lock is not None  # noqa: S101
    try:
        process = _serve(project, paths, lock)
    finally:
        lock.release()
    import emulator.control  # noqa: F401 what follows needs it, and there is time now

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = paths.running()
        if running and running.process.pid == process.pid:
            process.returncode = 0  # it lives on: nothing is left for this process to wait for
            return running
        if process.poll() is not None:
            raise EmulatorError(_last_words(paths, process.returncode))
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise EmulatorError(f"The emulator did not start within {START_SECONDS} s: see {paths.log}.")


def _running_or_lock(paths: StatePaths) -> tuple[RunningEmulator | None, StateLock | None]:
    import asyncio

    from emulator.control import running_or_lock

    return asyncio.run(running_or_lock(paths))


def _last_words(paths: StatePaths, status: int) -> str:
    if said := paths.log.read_text(errors="replace").strip():
        return said
    if shutil.disk_usage(paths.folder).free < _ROOM_FOR_A_SENTENCE:
        return sentence_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(paths.folder)), paths.folder) or ""
    return f"The emulator ended with status {status}."


def _serve(project: Project, paths: StatePaths, lock: StateLock) -> subprocess.Popen[bytes]:
    paths.log.unlink(missing_ok=True)
    with paths.log.open("w") as log:
        process = subprocess.Popen(
            [*_EMULATOR, *project.arguments(), "serve", "--locked", str(lock.descriptor)],
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.descriptor,),
            start_new_session=True,
        )
    lock.hand_over(process.pid)
    return process


def down(paths: StatePaths) -> bool:
    """Stop the emulator and wait until it is gone; return False when none runs.

    It is asked on its socket; the process that holds the lock of the state folder, and no other, is signalled when it
    does not answer, and killed when that does not help. Raises `EmulatorError` when even then it stays.
    """
    owner = holder(paths)
    if owner is None:
        return False
    running = paths.running()
    try:
        if running is None:
            _signal(owner, signal.SIGTERM)  # it is starting
        else:
            import asyncio

            from emulator.control import ask

            asyncio.run(ask(running, "stop", seconds=2))
    except EmulatorError:
        _signal(owner, signal.SIGTERM)
    if not _gone(owner, STOP_SECONDS):
        _signal(owner, signal.SIGKILL)
        if not _gone(owner, _KILLED_SECONDS):
            raise EmulatorError(f"The emulator (process {owner.pid}) does not end, not even by `kill -9 {owner.pid}`.")
    _clear(paths)
    return True


def _clear(paths: StatePaths) -> None:
    """Remove what a killed emulator left, unless another has started meanwhile."""
    deadline = time.monotonic() + _KILLED_SECONDS
    while time.monotonic() < deadline and holder(paths) is None:
        if lock := StateLock.take(paths):  # the threads of a killed process end after it, and hold the lock so long
            with lock:
                return
        time.sleep(_POLL_SECONDS)


def _signal(process: ProcessIdentity, number: int) -> None:
    if process.is_running():
        os.kill(process.pid, number)


def _gone(process: ProcessIdentity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.is_running():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
