"""Which process is meant: its id and its start, because the system gives an id again once its process is gone."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_HIGHEST_PID = 2**31 - 1  # pid_t is an int
_START_TICKS = 19  # proc(5): field 22, starttime, is the twentieth after the name


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of this machine. `started` tells it from a later process with the same id."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """Return the identity of the process that has the id `pid` now; None when none has, or it is a zombie."""
        if not 0 < pid <= _HIGHEST_PID:
            return None
        started = _start_on_linux(pid) if sys.platform == "linux" else _start(pid)
        return cls(pid, started) if started else None

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        identity = cls.of(os.getpid())
        assert identity is not None, "this process runs"  # noqa: S101
        return identity

    def is_running(self) -> bool:
        """Tell whether this very process still runs. One that only waits to be reaped does not."""
        return ProcessIdentity.of(self.pid) == self


def _start_on_linux(pid: int) -> str:
    """Return the boot's id and the clock ticks since it: a clock that is set changes neither (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    is_gone = fields[0] in (b"Z", b"X", b"x")
    return "" if is_gone else f"{_boot()}:{fields[_START_TICKS].decode()}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # some sandboxes have none
        return ""


def _start(pid: int) -> str:
    import psutil  # not where nobody asks it

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.AccessDenied:
        return "unknown"  # it runs, as another user
    except psutil.Error:
        return ""
