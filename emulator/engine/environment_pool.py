"""How many execution environments a function has, and which one serves next.

Invocations wait in order. When all environments are busy an invocation waits `patience` seconds for one to come free.
Then another is started, if it is likely to be ready before one comes free: short requests share few environments, long
ones run side by side, and a crowd of short ones does not have the processor busy with starts. Where the processors have
no time to spare, and there is an environment for each, another only takes time from them: patience is then ten times as
long. Where they have time, and for a second somebody has always waited, another is started, too: a crowd that stays is
served by as many as the processors can run. The one used last serves next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

_SMOOTHING = 8
"""The mean time of an invocation follows the last ones: each moves it by one part in so many."""
_LEAST_PAUSE_SECONDS = 0.02
_PATIENCE_WITHOUT_PROCESSORS = 10
_CROWD_SECONDS = 1.0
"""How long somebody has always waited before another environment is started for all of them."""
_PROCESSORS = os.cpu_count() or 1


class PoolClosedError(Exception):
    """The function's environments are being stopped."""


class Reusable(Protocol):
    """What the pool needs to know of an environment."""

    @property
    def is_alive(self) -> bool:
        """Tell whether it can still serve."""

    @property
    def is_stale(self) -> bool:
        """Tell whether it should be replaced before it serves again."""

    async def stop(self) -> None:
        """End it."""


E = TypeVar("E", bound=Reusable)


class EnvironmentPool(Generic[E]):
    """Environments of one function: started by `start`, at most `limit` of them.

    `are_processors_full` tells whether the processors have no time to spare.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[E]],
        limit: int,
        patience: float = 0.1,
        *,
        are_processors_full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._are_processors_full = are_processors_full
        self._start = start
        self._limit = max(1, limit)
        self._patience = patience
        self._idle: list[E] = []
        self._busy: dict[E, float] = {}
        """Those that serve, and since when."""
        self._starting = 0
        self._start_seconds = 0.0
        self._service_seconds = 0.0
        self._waiters: deque[asyncio.Future[E]] = deque()
        self._waiting_since: dict[asyncio.Future[E], float] = {}
        self._crowded_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._starts: set[asyncio.Task[None]] = set()
        self._stops: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def size(self) -> int:
        """Return the number of environments, those that are starting included."""
        return len(self._idle) + len(self._busy) + self._starting

    async def acquire(self) -> E:
        """Return an environment for one invocation; `release` it after.

        Raises what `start` raises when an environment that was started for the waiting invocations failed.
        """
        if self._closed:
            raise PoolClosedError
        environment = self._take_idle()
        if environment is not None and not self._waiters:
            self._busy[environment] = time.monotonic()
            return environment
        if environment is not None:
            self._idle.append(environment)
        waiter: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._waiting_since[waiter] = time.monotonic()
        self._serve_waiters()
        try:
            if not waiter.done():
                if self.size == 0:
                    self._start_one()
                elif self._timer is None:
                    self._crowded_since = time.monotonic()
                    self._are_processors_full()  # from now on
                    self._consider_starts_in(self._patience)
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release(waiter.result())
            # Only here: whoever serves a waiter takes it from the queue, and what is not there is dear to look for.
            with contextlib.suppress(ValueError):
                self._waiters.remove(waiter)
            raise
        finally:
            del self._waiting_since[waiter]

    def release(self, environment: E) -> None:
        """Give an environment back: to the invocation that waits longest, else to the idle ones."""
        began = self._busy.pop(environment, None)
        if began is not None:
            took = time.monotonic() - began
            self._service_seconds += (took - self._service_seconds) / _SMOOTHING
        if self._closed or not environment.is_alive:
            _keep(self._stops, environment.stop())
        elif environment.is_stale:
            _keep(self._stops, environment.stop())
            self._start_one()
        else:
            self._idle.append(environment)
        self._serve_waiters()
        self._replace_for_waiters()

    def add(self, environment: E, start_seconds: float = 0.0) -> None:
        """Take in an environment that was started elsewhere, within `start_seconds`."""
        self._start_seconds = start_seconds
        self._idle.append(environment)
        self._serve_waiters()

    def start_ahead(self) -> None:
        """Start one more environment ahead of need, if the limit allows."""
        self._start_one()

    def environments(self) -> list[E]:
        """Return the environments that are not starting."""
        return [*self._idle, *self._busy]

    def replace_unfit(self) -> None:
        """Replace the idle environments that died or should not serve again."""
        for environment in [idle for idle in self._idle if idle.is_stale or not idle.is_alive]:
            self._idle.remove(environment)
            _keep(self._stops, environment.stop())
            self._start_one()

    async def close(self) -> None:
        """Stop every environment, busy or not, and fail those who wait."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(PoolClosedError())
        for start in self._starts:
            start.cancel()
        everyone = self.environments()
        self._idle.clear()
        await asyncio.gather(*(environment.stop() for environment in everyone), return_exceptions=True)
        await asyncio.gather(*self._starts, *self._stops, return_exceptions=True)

    def _take_idle(self) -> E | None:
        while self._idle:
            environment = self._idle.pop()
            if environment.is_alive and not environment.is_stale:
                return environment
            _keep(self._stops, environment.stop())
        return None

    def _serve_waiters(self) -> None:
        while self._waiters:
            if self._waiters[0].done():
                self._waiters.popleft()
                continue
            environment = self._take_idle()
            if environment is None:
                return
            self._busy[environment] = time.monotonic()
            self._waiters.popleft().set_result(environment)

    def _replace_for_waiters(self) -> None:
        """Have those who wait get environments in place of the ones that ended."""
        if not self._waiters or self._closed:
            return
        if self.size == 0:
            self._start_one()
        if self._timer is None and self.size < self._limit:
            self._consider_starts_in(self._patience)

    def _consider_starts_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._consider_starts)

    def _start_one(self) -> None:
        if not self._closed and self.size < self._limit:
            self._starting += 1
            _keep(self._starts, self._add_started())

    def _consider_starts(self) -> None:
        """Start environments for those who have waited `patience`, as long as each start is worth its time."""
        self._timer = None
        now = time.monotonic()
        patience, are_full = self._patience, self._are_processors_full()
        if are_full and self.size >= _PROCESSORS:
            patience *= _PATIENCE_WITHOUT_PROCESSORS
        if not self._waiters or are_full or self._starting:
            self._crowded_since = now
        elif now - self._crowded_since >= max(_CROWD_SECONDS, self._start_seconds):
            self._crowded_since = now
            self._start_one()
        patient = sum(now - since >= patience for since in self._waiting_since.values())
        while self._starting < patient and self.size < self._limit and self._is_start_worthwhile(patient, now):
            self._start_one()
        if self._waiters and not self._closed and self.size < self._limit:
            self._consider_starts_in(max(self._patience, _LEAST_PAUSE_SECONDS))

    def _is_start_worthwhile(self, waiting: int, now: float) -> bool:
        # The last of those who wait is served when all before it are: at the usual pace, or at the present one.
        longest = max((now - since for since in self._busy.values()), default=0.0)
        return waiting * max(self._service_seconds, longest) / max(1, self.size) >= self._start_seconds

    async def _add_started(self) -> None:
        began = time.monotonic()
        try:
            environment = await self._start()
        except asyncio.CancelledError:
            self._starting -= 1
            raise
        except Exception as error:
            self._starting -= 1
            self._fail_first(error)
            self._replace_for_waiters()
            return
        self._starting -= 1
        self._start_seconds = time.monotonic() - began
        if self._closed:
            await environment.stop()
        elif not self._hand_over(environment):
            self._idle.append(environment)

    def _hand_over(self, environment: E) -> bool:
        # Whatever its state: to start yet another would not make it better, and may never end.
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._busy[environment] = time.monotonic()
                waiter.set_result(environment)
                return True
        return False

    def _fail_first(self, error: Exception) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)
                return


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
