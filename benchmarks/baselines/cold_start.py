"""One cold start: an environment of the engine that initialises, answers one request and ends."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.plan import BenchmarkError
from emulator.engine import Engine
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation
from emulator.processes.ports import LOOPBACK

TIMEOUT_SECONDS: Final = 901
"""More than Lambda allows: the engine then sets no limit to init either, and a busy machine measures, too."""
_MEMORY_MB: Final = 512
_REPORT: Final = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms.*\bInit Duration: ([\d.]+) ms", re.MULTILINE)
_REPORT_SECONDS: Final = 10
_POLL_SECONDS: Final = 0.002
_CPU_CLOCK_OF_A_PROCESS: Final = 2


@dataclass(frozen=True)
class ColdStart:
    """All in ms: the init, the first answer after it, and the processor time of both (user and system)."""

    init_ms: float
    first_ms: float
    cpu_ms: float

    @property
    def cold_ms(self) -> float:
        """Return what a caller waits for who comes before there is an environment."""
        return self.init_ms + self.first_ms


class Log:
    """Takes the lines of one function."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> None:
        """Take one line of the platform."""
        self._lines.append(f"{line}\n")

    def write_line(self, line: bytes) -> None:
        """Take one line of the function."""
        self._lines.append(line.decode(errors="replace"))

    @property
    def text(self) -> str:
        """Return all of them."""
        return "".join(self._lines)


def function(name: str, runtime: str, handler: str, task_root: Path, variables: Mapping[str, str]) -> Function:
    """Return a function with the variables that Lambda gives one, and its own."""
    of_lambda = {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(_MEMORY_MB),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    }
    return Function(runtime, handler, task_root, {**variables, **of_lambda}, LOOPBACK, 0)


async def cold_start(engine: Engine, started: Function, event: bytes) -> ColdStart:
    """Start an environment of `started`, pass it `event`, end it; return how long that took.

    Raises `BenchmarkError` with what the function wrote when it does not answer 200.
    """
    log = Log()
    running = engine.functions.hold(started, log)
    try:
        await running.start()
        outcome = await running.invoke(Invocation(event, TIMEOUT_SECONDS, started.arn, log))
        cpu_ms = sum(map(_cpu_ms, (environment.pid for environment in running.tenants.environments())))
        if outcome.is_error or not _is_200(outcome.payload):
            raise BenchmarkError(f"{started.name} answered {outcome.payload[:300]!r}: {log.text[-800:]}")
        first_ms, init_ms = await _reported(log)
    finally:
        await engine.functions.let_go(running, log)
    return ColdStart(init_ms, first_ms, cpu_ms)


async def _reported(log: Log) -> tuple[float, float]:
    deadline = time.monotonic() + _REPORT_SECONDS
    while (found := _REPORT.search(log.text)) is None:  # the engine writes it behind the answer
        if time.monotonic() > deadline:
            raise BenchmarkError(f"No REPORT line tells init and duration: {log.text[-300:]}")
        await asyncio.sleep(_POLL_SECONDS)
    return float(found[1]), float(found[2])


def _is_200(payload: bytes) -> bool:
    answer = json.loads(payload)
    return isinstance(answer, dict) and answer.get("statusCode") == 200


def _cpu_ms(pid: int) -> float:
    """Return the processor time that a process has used, threads that ended included."""
    if sys.platform == "linux":
        # The kernel's clock id of a process (clock_getcpuclockid(3)): psutil's figures are multiples of 10 ms.
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK_OF_A_PROCESS) * 1000
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system) * 1000
