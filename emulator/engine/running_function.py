"""A function that runs: its environments, and the watch on its code, for all who invoke it.

`sam` has a container for each function, and the gateway wants the same function: where both describe it alike they
share its environments. Each has a log of its own, which gets the lines of its own invocations.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from emulator.engine.code_watch import CodeWatch
from emulator.engine.environment import Environment
from emulator.engine.function import CONCURRENCY_VARIABLE, Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.invoker import Invoker
from emulator.engine.log_stream import WritesLines
from emulator.engine.tenants import Tenants
from emulator.metrics import FunctionMetrics, Metrics, import_times

READY_ENVIRONMENTS = 2
"""Environments that are ready before the first request, where the template declares that requests come together."""
_WATCH_AFTER_SECONDS = 1.0
_TIMED_INIT_SECONDS = 60.0
"""Nobody waits for an init whose imports are timed, and timing makes it slower."""

StartEnvironment = Callable[[Function, WritesLines], Awaitable[Environment]]


class RunningFunction:
    """A function's environments, held by at least one log."""

    def __init__(
        self,
        function: Function,
        start_environment: StartEnvironment,
        max_environments: int,
        metrics: FunctionMetrics | None = None,
    ) -> None:
        self.function = function
        self.logs: list[WritesLines] = []
        limit = min(function.concurrency, max_environments)

        def make() -> Invoker:
            return Invoker(function, lambda: start_environment(function, self), limit, metrics)

        self._first = make()
        self.tenants = Tenants(self._first, make)
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
        await self._first.start(READY_ENVIRONMENTS if CONCURRENCY_VARIABLE in self.function.variables else 1)

    @property
    def unwatched(self) -> str:
        """Return the sentence that says why changes of the code are not noticed, "" while they are."""
        return self._watch.failure if self._watch is not None else ""

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation."""
        return await self.tenants.invoke(invocation)

    async def close(self) -> None:
        """End the environments."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._watch is not None:
            await self._watch.stop()
        await self.tenants.close()

    async def _watch_code(self, since: float) -> None:
        # Most containers of a `sam` without warm containers are gone by then.
        await asyncio.sleep(_WATCH_AFTER_SECONDS)
        self._watch = CodeWatch(self.function.task_root, self.tenants.renew)
        await self._watch.start(since)


class _Lines:
    """Takes the lines of one environment."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def write(self, line: str) -> None:
        """Take one line of the platform."""
        self.text.append(line)

    def write_line(self, line: bytes) -> None:
        """Take one line of the function."""
        self.text.append(line.decode(errors="replace"))


class RunningFunctions:
    """The running functions of an engine, each once."""

    def __init__(self, start_environment: StartEnvironment, max_environments: int) -> None:
        self._start_environment = start_environment
        self._max_environments = max_environments
        self._running: dict[object, RunningFunction] = {}
        self._last: dict[str, Function] = {}
        self.metrics = Metrics()

    def hold(self, function: Function, log: WritesLines) -> RunningFunction:
        """Return `function`, running or about to be started, for one who invokes it; `let_go` it after."""
        running = self._running.get(function.identity)
        if running is None:
            metrics = self.metrics.function(function.name)
            running = RunningFunction(function, self._start_environment, self._max_environments, metrics)
            self._last[function.name] = function
            self._running[function.identity] = running
        running.logs.append(log)
        return running

    def held(self) -> list[Function]:
        """Return the functions that somebody holds."""
        return [running.function for running in self._running.values()]

    def notes(self) -> list[str]:
        """Return a sentence for each reason why the code of functions that run is not watched."""
        return list(dict.fromkeys(running.unwatched for running in self._running.values() if running.unwatched))

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

    async def close(self) -> None:
        """End the environments of every function, whoever holds it."""
        held, self._running = list(self._running.values()), {}
        await asyncio.gather(*(running.close() for running in held))

    def names(self) -> list[str]:
        """Return the functions that somebody has held, by their logical ids."""
        return list(self._last)

    def environments(self, name: str) -> list[Environment]:
        """Return the environments that the function has now."""
        running = [each for each in self._running.values() if each.function.name == name]
        return [environment for each in running for environment in each.tenants.environments()]

    def described(self, name: str) -> Function:
        """Return the function as its longest holder describes it, or as the last one did when nobody holds it."""
        held = (function for function in self.held() if function.name == name)
        return next(held, self._last[name])

    async def time_imports(self, name: str) -> list[str]:
        """Return what the function and Python write during one more init, with the time of each import.

        The environment serves nobody. Raises `InitFailedError` or `EngineError`.
        """
        function = self.described(name)
        lines = _Lines()
        timed = replace(function, variables={**function.variables, import_times.VARIABLE: "1"})
        environment = await self._start_environment(timed, lines)
        try:
            await environment.initialise(_TIMED_INIT_SECONDS, "init")
        finally:
            await environment.stop()
        return lines.text

    def maintain(self) -> None:
        """Replace idle environments that are no longer fit to serve."""
        for running in self._running.values():
            running.tenants.maintain()
