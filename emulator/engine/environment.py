"""An execution environment: one process that serves one invocation at a time.

Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulator.credentials import RoleCredentials
from emulator.engine import lambda_errors, report
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.log_stream import LineSplitter, LogStream
from emulator.engine.process import RuntimeProcess
from emulator.engine.process_environment import process_environment
from emulator.engine.runtime_api import RuntimeApi

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_MIB = 1024 * 1024
_MEMORY_POLL_SECONDS = 0.05
_CHILDREN_EVERY_POLLS = 5
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
    """What every environment of a container has in common."""

    function: Function
    interpreter: Path
    runtime_dir: Path
    temp_root: Path
    log: LogStream
    credentials: RoleCredentials | None = None


class Environment:
    """A runtime process and the Runtime API that it talks to."""

    def __init__(self, settings: EnvironmentSettings) -> None:
        self._settings = settings
        self._lines = LineSplitter()
        self._api = RuntimeApi(self._drain)
        self._process: RuntimeProcess | None = None
        self._peak = 0
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
        return self.is_outdated or (self._renew_at is not None and datetime.now(UTC) >= self._renew_at)

    @property
    def exited(self) -> asyncio.Future[int]:
        """Return the future of the process's return code."""
        if self._process is None:
            raise RuntimeError("the environment has not been started")
        return self._process.exited

    @property
    def peak_memory_bytes(self) -> int:
        """Return the most memory that the environment has used."""
        return self._peak

    async def start(self) -> None:
        """Start the process. Its init goes on; `initialise` waits for it."""
        settings, function = self._settings, self._settings.function
        await self._api.start()
        temp_dir = Path(tempfile.mkdtemp(prefix="environment-", dir=settings.temp_root))
        variables = process_environment(
            function,
            interpreter=settings.interpreter,
            runtime_dir=settings.runtime_dir,
            runtime_api=self._api.address,
            temp_dir=temp_dir,
            credentials=settings.credentials.environment() if settings.credentials else {},
        )
        self._began = time.monotonic()
        self._process = await RuntimeProcess.start(
            self._command,
            environment=variables,
            folder=function.task_root,
            temp_dir=temp_dir,
            on_output=self._write,
        )

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
        self._settings.log.write(
            report.init_report_line(duration_ms=duration, phase=phase, status=status, error_type=kind)
        )
        await self.stop()
        raise failure

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its end: an answer, an error, a timeout, too much memory or the end of the process.

        Raises `EnvironmentGoneError` when the process ended before it took the event.
        """
        exited = self.exited
        outcome = self._api.invoke(invocation)
        watch = asyncio.ensure_future(self._watch_memory())
        try:
            limit = None if self._settings.function.is_debugged else invocation.timeout_seconds
            await _first_of({outcome, exited, watch}, limit)
        finally:
            watch.cancel()
        self._note_peak()
        if outcome.done():
            return outcome.result()
        if exited.done():
            if not self._api.delivered:
                raise EnvironmentGoneError
            self._drain()
            return Outcome.of(lambda_errors.exited(invocation.request_id, exited.result()))
        self._drain()
        if watch.done() and not watch.cancelled():
            return Outcome.of(lambda_errors.out_of_memory(invocation.request_id))
        timed_out = lambda_errors.timed_out(invocation.request_id, invocation.timeout_seconds, report.iso_now())
        return Outcome.of(timed_out, "timeout")

    async def stop(self) -> None:
        """End the process and what it started, close its Runtime API and remove its temp dir."""
        if self._stopped:
            return
        self._stopped = True
        if self._process is not None:
            await self._process.kill()
        await self._api.stop()

    def terminate(self) -> None:
        """Ask the process to end, as `docker stop` does first."""
        if self._process is not None and self.is_alive:
            self._process.terminate()

    def _command(self, lifeline: int) -> list[str]:
        function = self._settings.function
        # -B: the function's folder is read-only in Lambda, and SAM CLI would take new bytecode for changed source.
        # -S: no package of this machine is importable. -P: nor is the engine's own folder.
        isolation = ["-B", "-S"] if function.interpreter_options else ["-B", "-S", "-P"]
        options = [*isolation, *function.interpreter_options]
        return [str(self._settings.interpreter), *options, str(_BOOTSTRAP), str(lifeline), function.handler]

    def _write(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._settings.log.write_line(line)

    def _drain(self) -> None:
        if self._process is not None:
            self._process.drain()
        self._flush_lines()

    def _flush_lines(self) -> None:
        for line in self._lines.flush():
            self._settings.log.write_line(line)

    def _note_peak(self) -> None:
        if self._process is not None:
            self._peak = max(self._peak, self._process.peak_memory_bytes() or self._process.memory_bytes())

    async def _watch_memory(self) -> None:
        """Return when the process and those it started use more than the function may."""
        function = self._settings.function
        limit = function.memory_mb * _MIB
        polls, children = 0, 0
        while self._process is not None:
            await asyncio.sleep(_MEMORY_POLL_SECONDS)
            if polls % _CHILDREN_EVERY_POLLS == 1:
                with contextlib.suppress(RuntimeError):
                    children = await asyncio.to_thread(self._process.memory_of_children_bytes)
            polls += 1
            used = self._process.memory_bytes() + children
            self._peak = max(self._peak, used)
            if used > limit and function.memory_is_limited and not function.is_debugged:
                return


def _renewal(credentials: RoleCredentials | None) -> datetime | None:
    if credentials is None:
        return None
    now = datetime.now(UTC)
    return max(credentials.expires_at - _CREDENTIALS_LEFT, now + (credentials.expires_at - now) / 2)


async def _first_of(futures: set[asyncio.Future[Any]], limit_seconds: float | None) -> None:
    await asyncio.wait(futures, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
