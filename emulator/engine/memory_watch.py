"""The memory of an execution environment: its peak, and its limit while an invocation runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

_MIB = 1024 * 1024
_POLL_SECONDS = 0.05
_CHILDREN_EVERY_POLLS = 5


class Measures(Protocol):
    """What tells the memory of a process."""

    def memory_bytes(self) -> int:
        """Return the resident memory."""

    def memory_of_children_bytes(self) -> int:
        """Return the resident memory of the processes that it started; slow."""

    def memory_without_temp_files_bytes(self) -> int:
        """Return the resident memory that is not files of its temp dir; slow."""

    def peak_memory_bytes(self) -> int:
        """Return the largest resident memory so far; 0 where the system does not tell."""


class MemoryWatch:
    """Calls `on_excess` when the process and those it started use more than `limit_mb` (None: as much as they like)."""

    def __init__(self, process: Measures, limit_mb: int | None, on_excess: Callable[[], None]) -> None:
        self._process = process
        self._limit = None if limit_mb is None else limit_mb * _MIB
        self._on_excess = on_excess
        self._peak = 0
        self._polls = 0
        self._children = 0
        self._is_busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._counting: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Watch while an invocation runs, until `rest`."""
        self._is_busy = True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_POLL_SECONDS, self._poll)

    def rest(self) -> None:
        """Note that no invocation runs."""
        # The timer stays: one for each invocation would cost more than short invocations let it tell.
        self._is_busy = False

    def stop(self) -> None:
        """Watch no longer; the process is about to end."""
        self.peak_bytes()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def peak_bytes(self) -> int:
        """Return the most memory that was used."""
        self._peak = max(self._peak, self._process.peak_memory_bytes() or self._process.memory_bytes())
        return self._peak

    def _poll(self) -> None:
        self._timer = None
        if not self._is_busy:
            return
        used = self._process.memory_bytes() + self._children
        self._peak = max(self._peak, used)
        if self._polls % _CHILDREN_EVERY_POLLS == 1 and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count_children())
        self._polls += 1
        self._timer = asyncio.get_running_loop().call_later(_POLL_SECONDS, self._poll)
        if self._limit is not None and used > self._limit:
            # Only now: to tell files of /tmp from memory takes reading every mapping.
            used = self._process.memory_without_temp_files_bytes() + self._children
            if used > self._limit:
                self._on_excess()

    async def _count_children(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._children = await asyncio.to_thread(self._process.memory_of_children_bytes)
