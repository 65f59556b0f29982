"""Run a function's invocations: an environment for each, and the lines that Lambda writes about them."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Awaitable, Callable

from emulator.engine import lambda_errors, report
from emulator.engine.environment import Environment, EnvironmentGoneError, InitFailedError
from emulator.engine.environment_pool import EnvironmentPool, PoolClosedError
from emulator.engine.errors import EngineError
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.processor_load import ProcessorLoad
from emulator.metrics import FunctionMetrics

INIT_LIMIT_SECONDS = 10.0
"""What Lambda gives the init phase; a longer one is begun again within the invocation's own timeout."""
AHEAD_AFTER_SECONDS = 3.0
"""The environments behind the first wait so long: until then the emulator starts, and first requests are served."""
_ATTEMPTS = 3
_TIMER_SLACK_SECONDS = 0.25


class Invoker:
    """Runs invocations of one function.

    `start_environment` makes an environment whose process runs and whose init has not been awaited.
    """

    def __init__(
        self,
        function: Function,
        start_environment: Callable[[], Awaitable[Environment]],
        limit: int,
        metrics: FunctionMetrics | None = None,
    ) -> None:
        self._function = function
        self._start_environment = start_environment
        self._pool: EnvironmentPool[Environment] = EnvironmentPool(
            self._start_for_invocation, limit, are_processors_full=ProcessorLoad().is_full
        )
        self._first: asyncio.Task[None] | None = None
        self._first_failure: Exception | None = None
        self._ahead: asyncio.TimerHandle | None = None
        self._limit = limit
        self._metrics = metrics or FunctionMetrics()
        self._started: weakref.WeakSet[Environment] = weakref.WeakSet()
        self._ends: set[asyncio.Task[None]] = set()
        self._closing = False

    async def start(self, environments: int) -> None:
        """Start the first environment and wait for its init; start the rest of `environments` some seconds later.

        A second call only waits.
        """
        is_first_call = self._first is None
        if self._first is None:
            self._first = asyncio.create_task(self._start_first())
        await asyncio.shield(self._first)
        if is_first_call and not self._closing:
            later = asyncio.get_running_loop().call_later
            self._ahead = later(AHEAD_AFTER_SECONDS, self._start_ahead, min(environments, self._limit))

    def _start_ahead(self, environments: int) -> None:
        if self._first_failure is None:
            for _ in range(environments - self._pool.size):
                self._pool.start_ahead()

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation. START and the function's own lines are in its log by then, END and REPORT soon after.

        The answer does not wait for them: what they tell is found out once the caller waits for something else.
        """
        if self._first is not None and not self._first.done():
            await asyncio.shield(self._first)
        began = time.monotonic()
        environment: Environment | None = None
        init_ms: float | None = None
        try:
            if self._first_failure is not None:
                failure, self._first_failure = self._first_failure, None
                raise failure
            for _ in range(_ATTEMPTS):
                environment = await self._pool.acquire()
                init_ms, environment.init_ms = environment.init_ms, None
                began = time.monotonic()
                invocation.log.write(report.start_line(invocation.request_id))
                try:
                    outcome = await environment.invoke(invocation)
                    break
                except EnvironmentGoneError:
                    self._pool.release(environment)
                    environment = None
            else:
                outcome = Outcome.of(lambda_errors.exited(invocation.request_id, None))
        except PoolClosedError:
            outcome = Outcome.of(lambda_errors.exited(invocation.request_id, -9))
        except InitFailedError as error:
            invocation.log.write(report.start_line(invocation.request_id))
            outcome = error.outcome(invocation.request_id)
            if error.timed_out:
                outcome = _timed_out(invocation)
        except (EngineError, OSError) as error:
            invocation.log.write(report.start_line(invocation.request_id))
            outcome = Outcome.of(lambda_errors.not_started(invocation.request_id, str(error)))
        except asyncio.CancelledError:
            if environment is not None:
                await environment.stop()
                self._pool.release(environment)
            raise
        elapsed = time.monotonic() - began
        if self._closing and outcome.error is not None and _is_sams_timer(invocation, elapsed):
            outcome = _timed_out(invocation)
        if environment is not None and _spoils(outcome):
            self._end_behind(environment)
        asyncio.get_running_loop().call_soon(self._report, invocation, outcome, environment, init_ms, elapsed)
        return outcome

    def environments(self) -> list[Environment]:
        """Return the environments that are not starting."""
        return self._pool.environments()

    def terminate(self) -> None:
        """Ask the environments' processes to end."""
        for environment in self._pool.environments():
            environment.terminate()

    def maintain(self) -> None:
        """Replace idle environments that died or whose credentials are about to expire."""
        self._pool.replace_unfit()

    def renew(self) -> None:
        """Replace every environment, because the code has changed; those that are busy finish first."""
        for environment in self._started:
            environment.is_outdated = True
        self._first_failure = None
        self._pool.replace_unfit()
        if not self._pool.size:
            self._pool.start_ahead()

    async def close(self) -> None:
        """End every environment; invocations under way end with an error."""
        self._closing = True
        if self._ahead is not None:
            self._ahead.cancel()
        if self._first is not None and not self._first.done():
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
        await self._pool.close()
        await asyncio.gather(*self._ends, return_exceptions=True)

    def _report(
        self,
        invocation: Invocation,
        outcome: Outcome,
        environment: Environment | None,
        init_ms: float | None,
        elapsed_seconds: float,
    ) -> None:
        """Write what Lambda writes when an invocation has ended, and let the next one have its environment."""
        for line in outcome.error.log_lines if outcome.error else ():
            invocation.log.write(line)
        invocation.log.write(report.end_line(invocation.request_id))
        is_timeout = outcome.status == "timeout"
        duration_ms = invocation.timeout_seconds * 1000 if is_timeout else elapsed_seconds * 1000
        peak_memory = environment.peak_memory_bytes() if environment is not None else 0
        line = report.report_line(
            invocation.request_id,
            duration_ms=duration_ms,
            memory_mb=self._function.memory_mb,
            max_memory_bytes=peak_memory,
            init_ms=init_ms,
            status=outcome.status,
            error_type=outcome.error.error_type if outcome.error and outcome.status == "error" else None,
        )
        if environment is not None and not _spoils(outcome):
            self._pool.release(environment)
        (invocation.on_report or invocation.log.write)(line)
        self._metrics.invoked(
            *(duration_ms, report.billed_ms(duration_ms, init_ms), peak_memory),
            is_first=init_ms is not None,
            is_error=outcome.is_error,
            is_timeout=is_timeout,
        )

    def _end_behind(self, environment: Environment) -> None:
        """End an environment that must not serve again; nobody waits for its process to go."""
        task = asyncio.create_task(self._end(environment))
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _end(self, environment: Environment) -> None:
        try:
            await environment.stop()
        finally:
            self._pool.release(environment)

    async def _start_first(self) -> None:
        began = time.monotonic()
        try:
            environment = await self._initialised("init", INIT_LIMIT_SECONDS)
            self._pool.add(environment, time.monotonic() - began)
        except InitFailedError as error:
            # Lambda runs an init that took too long again when an invocation comes; other failures are reported to it.
            self._first_failure = None if error.timed_out else error
        except (EngineError, OSError) as error:
            self._first_failure = error

    async def _start_for_invocation(self) -> Environment:
        try:
            return await self._initialised("init", INIT_LIMIT_SECONDS)
        except InitFailedError as error:
            if not error.timed_out:
                raise
            return await self._initialised("invoke", float(self._function.timeout_seconds))

    async def _initialised(self, phase: str, limit_seconds: float) -> Environment:
        environment = await self._start_environment()
        self._started.add(environment)
        try:
            await environment.initialise(None if self._function.is_debugged else limit_seconds, phase)
        except BaseException as error:
            self._metrics.failed_inits += isinstance(error, InitFailedError)
            await environment.stop()
            raise
        self._metrics.inits.add(environment.init_ms or 0.0)
        return environment


def _spoils(outcome: Outcome) -> bool:
    """Tell whether the environment must not serve again after that outcome."""
    return outcome.error is not None and outcome.error.error_type != "Function.ResponseSizeTooLarge"


def _timed_out(invocation: Invocation) -> Outcome:
    error = lambda_errors.timed_out(invocation.request_id, invocation.timeout_seconds, report.iso_now())
    return Outcome.of(error, "timeout")


def _is_sams_timer(invocation: Invocation, elapsed_seconds: float) -> bool:
    # Without warm containers SAM runs a timer of its own and deletes the container when it fires.
    return elapsed_seconds >= invocation.timeout_seconds - _TIMER_SLACK_SECONDS
