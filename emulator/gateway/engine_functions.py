"""The gateway's functions: those of the engine, with their lines on the emulator's own output."""

from __future__ import annotations

import asyncio
import os
import random
import select
from collections.abc import Mapping

from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.running_function import RunningFunction, RunningFunctions
from emulator.gateway.functions import UnknownFunctionError

_KEPT_BYTES = 1024 * 1024
_RETRY_SECONDS = 0.1


class OutputLog:
    """Writes lines to a file descriptor, those of one turn of the event loop together.

    While nobody reads the other end, a megabyte is kept and what comes after it is left out: functions go on.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._writable = select.poll()
        self._writable.register(descriptor, select.POLLOUT)
        self._lines: list[bytes] = []
        self._bytes = 0
        self._left_out = 0

    def write(self, line: str) -> None:
        """Write one line of the platform, given without its newline."""
        self.write_line(line.encode("utf-8", "replace") + b"\n")

    def write_line(self, line: bytes) -> None:
        """Write one line of a function, given with its newline."""
        if self._bytes > _KEPT_BYTES:
            self._left_out += 1
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)
        self._bytes += len(line)

    def _flush(self) -> None:
        data = memoryview(b"".join(self._lines))
        self._lines.clear()
        self._bytes = 0
        try:
            # Descriptors of terminals and pipes are other processes' too, so they stay blocking: no more is written at
            # once than a pipe takes that is not full (pipe(7), "PIPE_BUF").
            while data and self._writable.poll(0):
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
        except OSError:
            return  # the other end is closed: what a function says is lost, its answers are not
        if data:
            self._lines, self._bytes = [bytes(data)], len(data)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._flush)
        elif self._left_out:
            left_out, self._left_out = self._left_out, 0
            self.write(f"{left_out} lines were left out here: nobody read this output.")


class EngineFunctions:
    """Runs `declared` functions, by their logical ids, in the environments of an engine. Started by `start`."""

    def __init__(self, running: RunningFunctions, declared: Mapping[str, Function], log: OutputLog) -> None:
        self._functions = running
        self._declared = declared
        self._log = log
        self._running: dict[str, RunningFunction] = {}
        self._starts: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to start an environment of each function; an invocation that comes before waits for it."""
        for name, function in self._declared.items():
            running = self._functions.hold(function, self._log)
            self._running[name] = running
            self._starts.append(asyncio.create_task(running.start()))

    async def stop(self) -> None:
        """End the environments that nobody else holds."""
        for start in self._starts:
            start.cancel()
        await asyncio.gather(*self._starts, return_exceptions=True)
        held, self._running = list(self._running.values()), {}
        await asyncio.gather(*(self._functions.let_go(running, self._log) for running in held))

    async def invoke(self, function: str, event: bytes, trace_id: str) -> Outcome:
        """Run one invocation to its end. Raises `UnknownFunctionError`."""
        running = self._running.get(function)
        if running is None:
            raise UnknownFunctionError(function)
        invocation = Invocation(
            event, running.function.timeout_seconds, running.function.arn, self._log, trace_id=_sampled(trace_id)
        )
        return await running.invoke(invocation)


def _sampled(trace_id: str) -> str:
    """Return the tracing header that the runtime gets: with the parent segment and the sampling decision."""
    return trace_id if "Sampled=" in trace_id else f"{trace_id};Parent={random.getrandbits(64):016x};Sampled=0"
