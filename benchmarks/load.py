"""Load on an HTTP endpoint: so many clients, each of which sends its next request when it has its answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from benchmarks.client import Connection, Request
from benchmarks.measure import percentile
from benchmarks.plan import BenchmarkError

__all__ = ["STALL_MS", "Load", "Request", "answer", "apply"]

STALL_MS = 900
"""An answer that takes longer was held up: SAM CLI waits a whole second for a log line that it missed."""
ANSWER_SECONDS = 10
_PAUSE_AFTER_FAILURE_SECONDS = 0.02


@dataclass(frozen=True)
class Load:
    """What came of one spell of load: the latency of every right answer, the number of other ends, the seconds.

    `processor_ms` is what the servers took of the processors for each right answer, where that was measured.
    """

    latencies_ms: tuple[float, ...]
    failures: int
    seconds: float
    processor_ms: float = 0.0

    @property
    def requests_per_second(self) -> float:
        """Return the right answers per second."""
        return len(self.latencies_ms) / self.seconds

    @property
    def p50_ms(self) -> float:
        """Return the median latency."""
        return percentile(self.latencies_ms, 0.5)


def answer(request: Request) -> tuple[float, bytes]:
    """Send one request; return its latency in ms and the body. Raises `BenchmarkError` for any but a right answer."""

    async def ask() -> tuple[float, bytes]:
        connection = Connection()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await connection.send(request, request.encoded())
        except TimeoutError:
            raise BenchmarkError(f"{request.method} {request.path}: no answer within {ANSWER_SECONDS} s.") from None
        finally:
            connection.close()

    return asyncio.run(ask())


def apply(request: Request, clients: int, seconds: float) -> Load:
    """Send `request` by `clients` for `seconds`; what was sent by then is waited for.

    Raises `BenchmarkError` when not one answer was right.
    """
    latencies: list[float] = []

    async def send() -> tuple[int, float]:
        began = time.perf_counter()
        failures = await asyncio.gather(*(_client(request, began + seconds, latencies) for _ in range(clients)))
        return sum(failures), time.perf_counter() - began

    failures, took = asyncio.run(send())
    if not latencies:
        raise BenchmarkError(f"{request.method} {request.path}: no right answer within {seconds:.1f} s.")
    return Load(tuple(latencies), failures, took)


async def _client(request: Request, deadline: float, latencies: list[float]) -> int:
    connection, encoded, failures = Connection(), request.encoded(), 0
    try:
        async with asyncio.timeout(deadline - time.perf_counter() + ANSWER_SECONDS):
            while time.perf_counter() < deadline:
                try:
                    latencies.append((await connection.send(request, encoded))[0])
                except BenchmarkError:
                    failures += 1
                    await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
    except TimeoutError:
        failures += 1
    finally:
        connection.close()
    return failures
