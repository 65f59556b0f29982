"""Load on an HTTP endpoint: so many clients, each a thread that sends its next request when it has its answer."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.measure import percentile
from benchmarks.plan import BenchmarkError
from emulator.processes.ports import LOOPBACK

STALL_MS = 900
"""An answer that takes longer was held up: SAM CLI waits a whole second for a log line that it missed."""
_ANSWER_SECONDS = 10
_PAUSE_AFTER_FAILURE_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """A request to a port of this machine. An answer is right with status 200 and `expected` in its body."""

    port: int
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected: bytes = b""


@dataclass(frozen=True)
class Load:
    """What came of one spell of load: the latency of every right answer, the number of other ends, the seconds."""

    latencies_ms: tuple[float, ...]
    failures: int
    seconds: float

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
    connection = http.client.HTTPConnection(LOOPBACK, request.port, timeout=_ANSWER_SECONDS)
    with contextlib.closing(connection):
        try:
            return _send(connection, request)
        except (OSError, http.client.HTTPException) as error:
            raise BenchmarkError(f"{request.method} {request.path}: {type(error).__name__} {error}") from error


def open_connection(port: int) -> http.client.HTTPConnection:
    """Return a connection for `send_on`, which opens it when it is needed."""
    return http.client.HTTPConnection(LOOPBACK, port, timeout=_ANSWER_SECONDS)


def send_on(connection: http.client.HTTPConnection, request: Request) -> float:
    """Send one request on a kept connection; return its latency in ms.

    Raises `BenchmarkError` for any end but a right answer; the connection is then to be closed.
    """
    try:
        return _send(connection, request)[0]
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"{request.method} {request.path}: {type(error).__name__} {error}") from error


def apply(request: Request, clients: int, seconds: float) -> Load:
    """Send `request` from `clients` threads for `seconds`; what was sent by then is waited for.

    Raises `BenchmarkError` when not one answer was right.
    """
    together = threading.Barrier(clients)
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        ended = [threads.submit(_client, request, together, seconds) for _ in range(clients)]
    took = time.perf_counter() - began
    latencies = tuple(latency for future in ended for latency in future.result()[0])
    if not latencies:
        raise BenchmarkError(f"{request.method} {request.path}: no right answer within {seconds:.1f} s.")
    return Load(latencies, sum(future.result()[1] for future in ended), took)


def _client(request: Request, together: threading.Barrier, seconds: float) -> tuple[list[float], int]:
    latencies, failures = [], 0
    connection = http.client.HTTPConnection(LOOPBACK, request.port, timeout=_ANSWER_SECONDS)
    together.wait(_ANSWER_SECONDS)
    deadline = time.perf_counter() + seconds
    with contextlib.closing(connection):
        while time.perf_counter() < deadline:
            try:
                latencies.append(_send(connection, request)[0])
            except (OSError, http.client.HTTPException, BenchmarkError):
                failures += 1
                connection.close()
                time.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
    return latencies, failures


def _send(connection: http.client.HTTPConnection, request: Request) -> tuple[float, bytes]:
    # http.client keeps the connection when the server does, and connects anew when it does not.
    began = time.perf_counter()
    connection.request(request.method, request.path, body=request.body, headers=dict(request.headers))
    response = connection.getresponse()
    body = response.read()
    took = (time.perf_counter() - began) * 1000
    if response.status != 200 or request.expected not in body:
        raise BenchmarkError(f"{request.method} {request.path} was answered {response.status}: {body[:200]!r}")
    return took, body
