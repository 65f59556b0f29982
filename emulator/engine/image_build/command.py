"""Run a command of a build, and pass on what it says."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from emulator.engine.image_build.dockerfile import Instruction

LIMIT_SECONDS = 15 * 60
"""How long one instruction may run."""
_ATTACHED = """
import os, signal, subprocess, sys, threading

def end_with_the_engine():
    os.read(lifeline, 1)  # the engine holds the other end, which closes when it ends, even by kill -9
    os.killpg(0, signal.SIGKILL)

lifeline = int(sys.argv[1])
os.set_inheritable(lifeline, False)
threading.Thread(target=end_with_the_engine, daemon=True).start()
status = subprocess.call(sys.argv[2:])
sys.exit(status if status >= 0 else 128 - status)
"""
"""Runs a command in its own process group, and ends the group with the process that wanted it."""
_POLL_SECONDS = 0.5
_KEPT_LINES = 4


def run(
    instruction: Instruction,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Run `command` in `folder` for `instruction`. Raises `DockerfileError` when it fails, and what `say` raises."""
    inner, outer = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _ATTACHED, str(inner), *command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[inner],
        )
    except BaseException:
        os.close(outer)
        raise
    finally:
        os.close(inner)
    last: list[str] = []
    try:
        status = _follow(process, say, last)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(outer)
        if process.stdout is not None:
            process.stdout.close()
    if status is None:
        raise instruction.error(f"took longer than {LIMIT_SECONDS // 60} minutes.")
    if status:
        reason = " ".join(line.strip() for line in last)
        raise instruction.error(f"ended with status {status}: {reason}")


def _follow(process: subprocess.Popen[bytes], say: Callable[[str], None], last: list[str]) -> int | None:
    """Pass on each line until the output ends; return the status, None after `LIMIT_SECONDS`."""
    deadline = time.monotonic() + LIMIT_SECONDS
    assert process.stdout is not None  # noqa: S101 it is a pipe
    descriptor, rest = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(_POLL_SECONDS):
                say("")
                continue
            data = os.read(descriptor, 65536)
            *lines, rest = (rest + data).split(b"\n") if data else ([rest] if rest else []) + [b""]
            for line in lines:
                text = line.decode(errors="replace")
                say(f"{text}\n")
                last[:] = [*last, text][-_KEPT_LINES:] if text.strip() else last
            if not data:
                return process.wait()
    return None
