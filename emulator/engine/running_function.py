"""A function that runs: its environments, and the watch on its code, for all who invoke it.

`sam` has a container for each function, and the gateway wants the same function: where both describe it alike they
share its environments. Each has a log of its own, which gets the lines of its own invocations.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from emulator.engine.code_watch import CodeWatch
from emulator.engine.environment import Environment
from emulator.engine.function import CONCURRENCY_VARIABLE, Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.invoker import Invoker
from emulator.engine.log_stream import WritesLines

READY_ENVIRONMENTS = 2
"""Environments that are ready before the first request, where the template declares that requests come together."""
_WATCH_AFTER_SECONDS = 1.0

StartEnvironment = Callable[[Function, WritesLines], Awaitable[Environment]]


class RunningFunction:
    """A function's environments, held by at least one log."""

    def __init__(self, function: Function, start_environment: StartEnvironment, max_environments: int) -> None:
        self.function = function
        self.logs: list[WritesLines] = []
        self.invoker = Invoker(
            function, lambda: start_environment(function, self), min(function.concurrency, max_environments)
        )
        self._watching: asyncio.Task[None] | None = None
        self._watch: CodeWatch | None = None

    def write(self, line: str) -> None:
        """Write what belongs to no invocation to every log."""
        for log in self.logs:
            log.write(line)

    def write_line(self, line: bytes) -> None:
        """Write what the function says outside its invocations to every log."""
        for log in self.logs:
            log.write_line(line)

    async def start(self) -> None:
        """Initialise the first environment, and others behind it; watch the code. A second call only waits."""
        if self._watching is None and not self.function.refusal:
            self._watching = asyncio.create_task(self._watch_code(time.time()))
        await self.invoker.start(READY_ENVIRONMENTS if CONCURRENCY_VARIABLE in self.function.variables else 1)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation."""
        return await self.invoker.invoke(invocation)

    async def close(self) -> None:
        """End the environments."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._watch is not None:
            await self._watch.stop()
        await self.invoker.close()

    async def _watch_code(self, since: float) -> None:
        # Most containers of a `sam` without warm containers are gone by then.
        await asyncio.sleep(_WATCH_AFTER_SECONDS)
        self._watch = CodeWatch(self.function.task_root, self.invoker.renew)
        await self._watch.start(since)


class RunningFunctions:
    """The running functions of an engine, each once."""

    def __init__(self, start_environment: StartEnvironment, max_environments: int) -> None:
        self._start_environment = start_environment
        self._max_environments = max_environments
        self._running: dict[object, RunningFunction] = {}

    def hold(self, function: Function, log: WritesLines) -> RunningFunction:
        """Return `function`, running or about to be started, for one who invokes it; `let_go` it after."""
        running = self._running.get(function.identity)
        if running is None:
            running = RunningFunction(function, self._start_environment, self._max_environments)
            self._running[function.identity] = running
        running.logs.append(log)
        return running

    def is_shared(self, running: RunningFunction) -> bool:
        """Tell whether more than one holds it."""
        return len(running.logs) > 1

    async def let_go(self, running: RunningFunction, log: WritesLines) -> None:
        """End the function's environments when nobody else holds them."""
        if log in running.logs:
            running.logs.remove(log)
        if not running.logs and self._running.get(running.function.identity) is running:
            del self._running[running.function.identity]
            await running.close()

    def maintain(self) -> None:
        """Replace idle environments that are no longer fit to serve."""
        for running in self._running.values():
            running.invoker.maintain()
