"""An execution environment: one process that serves one invocation at a time.

Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulator.credentials import RoleCredentials
from emulator.engine import lambda_errors, report
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.log_stream import LineSplitter, WritesLines
from emulator.engine.memory_watch import MemoryWatch
from emulator.engine.mount_namespace.client import Launcher
from emulator.engine.places import Places, places_of_its_own, places_of_this_machine
from emulator.engine.process import RuntimeProcess
from emulator.engine.process_environment import process_environment
from emulator.engine.runtime_api import RuntimeApi

_CREDENTIALS_LEFT = timedelta(minutes=5)


class EnvironmentGoneError(Exception):
    """The process ended before it took the invocation: another environment can serve it."""


class InitFailedError(Exception):
    """The environment did not become ready. `outcome(request_id)` is what an invocation that waited for it gets."""

    def __init__(self, payload: bytes | None, return_code: int | None, *, timed_out: bool = False) -> None:
        super().__init__("init failed")
        self.timed_out = timed_out
        self._payload = payload
        self._return_code = return_code

    @property
    def error_type(self) -> str | None:
        """Return the type of the error that the runtime reported."""
        try:
            return str(json.loads(self._payload or b"")["errorType"])
        except (ValueError, KeyError, TypeError):
            return None

    def outcome(self, request_id: str) -> Outcome:
        """Return the runtime's own report of what went wrong, or how its process ended."""
        if self._payload is not None:
            return Outcome(self._payload, is_error=True, status="error")
        return Outcome.of(lambda_errors.exited(request_id, self._return_code))


@dataclass
class EnvironmentSettings:
    """What every environment of a function has in common.

    `log` takes what is written while no invocation runs. `account` are the variables by which an AWS SDK finds the
    account; the role's `credentials` replace those in it. `launcher` gives each a file system of its own; without one
    they have this machine's.
    """

    function: Function
    interpreter: Path
    runtime_dir: Path
    temp_root: Path
    log: WritesLines
    credentials: RoleCredentials | None = None
    account: Mapping[str, str] = field(default_factory=dict)
    launcher: Launcher | None = None


class Environment:
    """A runtime process and the Runtime API that it talks to."""

    def __init__(self, settings: EnvironmentSettings) -> None:
        self._settings = settings
        self._lines = LineSplitter()
        self._api = RuntimeApi(self._drain)
        self._process: RuntimeProcess | None = None
        self._memory: MemoryWatch | None = None
        self._log: WritesLines = settings.log
        self._invocation: Invocation | None = None
        self._outcome: asyncio.Future[Outcome] | None = None
        self._began = time.monotonic()
        self._stopped = False
        self._renew_at = _renewal(settings.credentials)
        self.is_outdated = False
        """Whether the function's code has changed since."""
        self.init_ms: float | None = None
        """The duration of init, until an invocation has reported it."""

    @property
    def is_alive(self) -> bool:
        """Tell whether the process can still serve."""
        return self._process is not None and not self._process.exited.done() and not self._stopped

    @property
    def is_stale(self) -> bool:
        """Tell whether its code has changed or its credentials are about to expire."""
        return self.is_outdated or (self._renew_at is not None and time.time() >= self._renew_at)

    @property
    def exited(self) -> asyncio.Future[int]:
        """Return the future of the process's return code."""
        if self._process is None:
            raise RuntimeError("the environment has not been started")
        return self._process.exited

    @property
    def pid(self) -> int:
        """Return the process's id; 0 before it has one."""
        return self._process.pid if self._process is not None else 0

    def peak_memory_bytes(self) -> int:
        """Return the most memory that the environment has used."""
        return self._memory.peak_bytes() if self._memory is not None else 0

    async def start(self) -> None:
        """Start the process. Its init goes on; `initialise` waits for it."""
        settings, function = self._settings, self._settings.function
        await self._api.start()
        places, temp_dir = self._make_places()
        variables = process_environment(
            function,
            places=places,
            runtime_api=self._api.address,
            account={**settings.account, **(settings.credentials.environment() if settings.credentials else {})},
        )
        self._began = time.monotonic()
        self._process = await RuntimeProcess.start(
            lambda lifeline: self._command(places, lifeline),
            environment=variables,
            folder=places.task_root,
            temp_dir=temp_dir,
            on_output=self._write,
            launcher=settings.launcher,
            file_system=places.file_system,
        )
        self._process.exited.add_done_callback(self._exited)
        limit = function.memory_mb if function.memory_is_limited and not function.is_debugged else None
        self._memory = MemoryWatch(self._process, limit, self._used_too_much)

    async def initialise(self, limit_seconds: float | None, phase: str) -> None:
        """Wait until the runtime asks for its first event; raise `InitFailedError` when it does not in time."""
        exited = self.exited
        await _first_of({self._api.initialised, exited}, limit_seconds)
        duration = (time.monotonic() - self._began) * 1000
        if self._api.initialised.done() and self._api.initialised.result() is None:
            self.init_ms = duration
            return
        self._drain()
        kind: str | None = None
        if self._api.initialised.done():
            failure = InitFailedError(self._api.initialised.result(), None)
            kind = failure.error_type
        elif exited.done():
            failure, kind = InitFailedError(None, exited.result()), "Runtime.ExitError"
        else:
            failure = InitFailedError(None, None, timed_out=True)
        self._flush_lines()
        status = "timeout" if failure.timed_out else "error"
        self._log.write(report.init_report_line(duration_ms=duration, phase=phase, status=status, error_type=kind))
        await self.stop()
        raise failure

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end: an answer, an error, a timeout, too much memory or the end of the process.

        Raises `EnvironmentGoneError` when the process ended before it took the event.
        """
        if self.exited.done():
            raise EnvironmentGoneError
        self._log, self._invocation = invocation.log, invocation
        self._outcome = outcome = self._api.invoke(invocation)
        timer: asyncio.TimerHandle | None = None
        if not self._settings.function.is_debugged:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(invocation.timeout_seconds, self._timed_out)
        if self._memory is not None:
            self._memory.watch()
        try:
            return await outcome
        finally:
            self._outcome = self._invocation = None
            if self._memory is not None:
                self._memory.rest()
            if timer is not None:
                timer.cancel()

    async def stop(self) -> None:
        """End the process and what it started, close its Runtime API and remove its temp dir."""
        if self._stopped:
            return
        self._stopped = True
        if self._memory is not None:
            self._memory.stop()
        if self._process is not None:
            await self._process.kill()
        await self._api.stop()

    def terminate(self) -> None:
        """Ask the process to end, as `docker stop` does first."""
        if self._process is not None and self.is_alive:
            self._process.terminate()

    def _timed_out(self) -> None:
        if self._invocation is not None:
            error = lambda_errors.timed_out(
                self._invocation.request_id, self._invocation.timeout_seconds, report.iso_now()
            )
            self._end(Outcome.of(error, "timeout"))

    def _used_too_much(self) -> None:
        if self._invocation is not None:
            self._end(Outcome.of(lambda_errors.out_of_memory(self._invocation.request_id)))

    def _exited(self, exited: asyncio.Future[int]) -> None:
        if self._invocation is None or self._outcome is None or self._outcome.done():
            return
        if not self._api.delivered:
            self._outcome.set_exception(EnvironmentGoneError())
        elif not exited.cancelled():
            self._end(Outcome.of(lambda_errors.exited(self._invocation.request_id, exited.result())))

    def _end(self, outcome: Outcome) -> None:
        """End the invocation otherwise than by the runtime's answer."""
        self._drain()
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_result(outcome)

    def _make_places(self) -> tuple[Places, Path | None]:
        """Return where the process finds its files, and the temp dir that was made for it, if any."""
        settings, function = self._settings, self._settings.function
        if settings.launcher is not None:
            return places_of_its_own(function, settings.interpreter, settings.runtime_dir), None
        temp_dir = Path(tempfile.mkdtemp(prefix="environment-", dir=settings.temp_root))
        return places_of_this_machine(function, settings.interpreter, settings.runtime_dir, temp_dir), temp_dir

    def _command(self, places: Places, lifeline: int) -> list[str]:
        # -B: the function's folder is read-only in Lambda, and SAM CLI would take new bytecode for changed source.
        # -S: no package of this machine is importable. -P: nor is the engine's own folder.
        isolation = ["-B", "-S"] if places.interpreter_options else ["-B", "-S", "-P"]
        options = [*isolation, *places.interpreter_options]
        handler = self._settings.function.handler
        return [places.interpreter, *options, places.bootstrap, str(lifeline), handler]

    def _write(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._log.write_line(line)

    def _drain(self) -> None:
        if self._process is not None:
            self._process.drain()
        self._flush_lines()

    def _flush_lines(self) -> None:
        for line in self._lines.flush():
            self._log.write_line(line)


def _renewal(credentials: RoleCredentials | None) -> float | None:
    """Return the time, in seconds since the epoch, after which the environment should be replaced."""
    if credentials is None:
        return None
    now = datetime.now(UTC)
    return max(credentials.expires_at - _CREDENTIALS_LEFT, now + (credentials.expires_at - now) / 2).timestamp()


async def _first_of(futures: set[asyncio.Future[Any]], limit_seconds: float | None) -> None:
    await asyncio.wait(futures, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
