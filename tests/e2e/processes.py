"""What a run left behind: processes, sockets, ports."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from emulator.processes.ports import accepts
from emulator.project.paths import StatePaths

GONE_SECONDS = 20


def family(pid: int) -> list[psutil.Process]:
    """Return the process and all that descends from it, the functions' environments included."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def assert_nothing_left(processes: list[psutil.Process], paths: StatePaths, *ports: int) -> None:
    """Fail unless `processes`, its sockets and `ports` are gone within a bounded time."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := list(_left(processes, paths, ports)):
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.1)


def _left(processes: list[psutil.Process], paths: StatePaths, ports: tuple[int, ...]) -> Iterator[str]:
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                yield f"{process.pid} {' '.join(process.cmdline())[:120]}"
        except psutil.NoSuchProcess:
            continue
    if paths.sockets.exists():
        yield str(paths.sockets)
    yield from (f"port {port}" for port in ports if accepts(port))


def assert_no_process_names(folder: str) -> None:
    """Fail unless within a bounded time no command line has `folder` in it."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := [each for each in psutil.process_iter(["cmdline"]) if folder in " ".join(each.info["cmdline"] or ())]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.1)
