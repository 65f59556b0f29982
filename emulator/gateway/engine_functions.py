"""The gateway's functions: those of the engine, with their lines on the emulator's own output."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping

from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.running_function import RunningFunction, RunningFunctions
from emulator.gateway.functions import UnknownFunctionError


class OutputLog:
    """Writes lines to a file descriptor, those of one turn of the event loop in one write."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []

    def write(self, line: str) -> None:
        """Write one line of the platform, given without its newline."""
        self.write_line(line.encode("utf-8", "replace") + b"\n")

    def write_line(self, line: bytes) -> None:
        """Write one line of a function, given with its newline."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        data = memoryview(b"".join(self._lines))
        self._lines.clear()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return  # nobody reads: what a function says is lost, its answers are not


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
