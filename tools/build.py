"""Run `sam build` for the Makefile: one at a time in a checkout, and no longer than the `make` that wants it.

    python -m tools.build MARK [SOURCE ...]

MARK is touched after a build that worked. Where it is newer than each SOURCE already, because another `make` has built
meanwhile, there is nothing to do; without a SOURCE it is built in any case.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LOCK = Path(".local/build.lock")
LOG = Path(".local/build.log")
_POLL_SECONDS = 0.1


class OrphanedError(Exception):
    """The process that wanted the build has ended."""


def build(command: Sequence[str | Path], mark: Path, sources: Sequence[Path]) -> int:
    """Run `command` and touch `mark`, unless that is newer than `sources`; return the exit status of the command.

    What the command says goes to LOG, and to the standard error when it fails. Raises OrphanedError, having ended
    the command and all that it started.
    """
    parent = os.getppid()
    with LOCK.open("a") as lock:
        _wait_for(lock.fileno(), parent)
        if sources and _is_newer(mark, sources):
            return 0
        sys.stdout.write("Building the functions for this machine ...\n")
        sys.stdout.flush()
        mark.unlink(missing_ok=True)
        status = _run(command, parent, lock.fileno())
        if status:
            sys.stderr.write(LOG.read_text(errors="replace"))
        else:
            mark.touch()
        return status


def _wait_for(lock: int, parent: int) -> None:
    is_announced = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not is_announced:
                sys.stdout.write("Another make builds the functions; this one waits for it ...\n")
                sys.stdout.flush()
                is_announced = True
        else:
            return
        _go_on_for(parent)
        time.sleep(_POLL_SECONDS)


def _run(command: Sequence[str | Path], parent: int, lock: int) -> int:
    with LOG.open("wb") as log:
        # The command has the lock, too: should this process be killed, the next build waits for the end of this one.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, pass_fds=[lock])
    try:
        while True:
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                _go_on_for(parent)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _go_on_for(parent: int) -> None:
    if os.getppid() != parent:
        raise OrphanedError


def _is_newer(mark: Path, sources: Sequence[Path]) -> bool:
    return mark.exists() and mark.stat().st_mtime_ns >= max(source.stat().st_mtime_ns for source in sources)


def main() -> int:
    """Build what the command line names."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    mark, *sources = map(Path, sys.argv[1:])
    try:
        return build([sys.executable, "-m", "emulator.sam.sam_build"], mark, sources)
    except (KeyboardInterrupt, OrphanedError):
        return 130


if __name__ == "__main__":
    sys.exit(main())
