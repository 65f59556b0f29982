"""The emulator in the background: `up` starts it, `down` stops it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

from emulator.control import ask
from emulator.errors import EmulatorError
from emulator.paths import RunningEmulator, StatePaths
from sam_template.repository import REPOSITORY

START_SECONDS = 60
STOP_SECONDS = 15
_POLL_SECONDS = 0.05


def up(paths: StatePaths) -> RunningEmulator:
    """Start an emulator that outlives this command, unless one runs; return it.

    Raises `EmulatorError` with the reason that its log gives when it does not start.
    """
    if running := paths.running():
        return running
    paths.folder.mkdir(parents=True, exist_ok=True)
    with paths.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "emulator", "serve"],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        running = paths.running()
        if running and running.pid == process.pid:
            process.returncode = 0  # it lives on: nothing is left for this process to wait for
            return running
        if process.poll() is not None:
            raise EmulatorError(
                paths.log.read_text().strip() or f"The emulator ended with status {process.returncode}."
            )
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise EmulatorError(f"The emulator did not start within {START_SECONDS} s: see {paths.log}.")


def down(paths: StatePaths) -> bool:
    """Stop the emulator and wait until it is gone; return False when none runs."""
    running = paths.running()
    if running is None:
        return False
    try:
        asyncio.run(ask(running, "stop", seconds=2))
    except EmulatorError:
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while paths.running():
        if time.monotonic() > deadline:
            raise EmulatorError(f"The emulator (process {running.pid}) does not stop: `kill -9 {running.pid}` ends it.")
        time.sleep(_POLL_SECONDS)
    return True
