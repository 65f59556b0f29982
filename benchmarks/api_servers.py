"""Warm requests through `sam local start-api`, the gateway (same environments), uvicorn, and MiniStack's own API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.function_process import function_environment
from benchmarks.load import Load, Request, answer, apply
from benchmarks.measure import Measure, Section, percentile, ratios
from benchmarks.ministack_api import ministack_api
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import PYTHON, attached, emulated, start_api, until
from benchmarks.routes import ROUTES, Route
from emulator.control import ask
from emulator.processes.ports import LOOPBACK, accepts, free_port
from emulator.project.paths import RunningEmulator
from sam_template.repository import REPOSITORY

CLIENTS = (1, 8, 32)
MINISTACK_CLIENTS = (1, 8)
"""Its Lambda starts a process for each request that comes while another runs."""
SERVERS = ("sam", "gateway", "uvicorn", "ministack")
SLOW_MS = 250
"""What no answer of the gateway should take."""
_WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Row:
    """The load on one API server by so many clients, round by round."""

    route: str
    server: str
    clients: int
    loads: tuple[Load, ...]

    @property
    def rates(self) -> tuple[float, ...]:
        """Return the requests a second of each round."""
        return tuple(load.requests_per_second for load in self.loads)


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure the API servers by the same number of clients right after one another, round after round."""
    taken: dict[tuple[Route, str, int], list[Load]] = {}
    async with contextlib.AsyncExitStack() as started:
        paths, running = await started.enter_async_context(emulated(folder))
        variables = await function_environment(paths, running)
        addresses = {
            "sam": (await started.enter_async_context(start_api(folder, paths, running)), ""),
            "gateway": (await gateway_port(running), ""),
            "uvicorn": (await started.enter_async_context(_uvicorn(folder, variables)), ""),
        }
        requests = {
            (route, server): Request(port, "GET", f"{prefix}{route.path}")
            for route in ROUTES
            for server, (port, prefix) in addresses.items()
        }
        for request in requests.values():
            await asyncio.to_thread(answer, request)
            await asyncio.to_thread(apply, request, max(CLIENTS), _WARM_UP_SECONDS)
        for _ in range(plan.rounds):
            for route in ROUTES:
                for clients in CLIENTS:
                    for server in addresses:
                        load = await asyncio.to_thread(_applied, requests[route, server], clients, plan.seconds)
                        taken.setdefault((route, server, clients), []).append(load)
        notes = await _measure_ministack(plan, folder, running, variables, taken)
    rows = [Row(route.name, server, clients, tuple(loads)) for (route, server, clients), loads in taken.items()]
    return [server_section(rows, notes), ratio_section(rows)]


async def _measure_ministack(
    plan: Plan,
    folder: Path,
    running: RunningEmulator,
    variables: Mapping[str, str],
    taken: dict[tuple[Route, str, int], list[Load]],
) -> list[str]:
    """Add MiniStack's own API to what was `taken`; return a sentence for what cannot be measured."""
    try:
        async with ministack_api(folder, running, variables) as served:
            for route in ROUTES:
                request = Request(served.port, "GET", f"{served.prefix}{route.path}")
                await asyncio.to_thread(answer, request)
                for clients in MINISTACK_CLIENTS:
                    load = await asyncio.to_thread(_applied, request, clients, plan.seconds)
                    taken[route, "ministack", clients] = [load]
    except BenchmarkError as error:
        return [f"ministack was measured no further: {error}"]
    return []


def _applied(request: Request, clients: int, seconds: float) -> Load:
    """Apply the load, and say what the servers took of the processors. All of them are below this process."""
    before = _processor_seconds()
    load = apply(request, clients, seconds)
    taken = sum(spent - before.get(pid, 0.0) for pid, spent in _processor_seconds().items())
    return replace(load, processor_ms=taken * 1000 / len(load.latencies_ms))


def _processor_seconds() -> dict[int, float]:
    found = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


async def gateway_port(running: RunningEmulator) -> int:
    """Return the port of the gateway of a running emulator."""
    ((_, _, url), *_) = (await ask(running, "status"))["apis"]
    return int(url.rpartition(":")[2])


def server_section(rows: list[Row], notes: Sequence[str] = ()) -> Section:
    """Return each row's latencies, throughput and cost."""
    measures: list[Measure] = []
    for row in sorted(rows, key=lambda row: (row.route, row.clients, SERVERS.index(row.server))):
        subject = f"{row.route} · {row.server} · {row.clients} client{'s' if row.clients > 1 else ''}"
        latencies = [latency for load in row.loads for latency in load.latencies_ms]
        p50s = tuple(load.p50_ms for load in row.loads)
        measures.append(Measure(subject, "throughput", "requests/s", row.rates, charted=True))
        measures.append(Measure(subject, "p50", "ms", p50s, charted=row.clients == 1))
        measures.append(Measure(subject, "processor", "ms", tuple(load.processor_ms for load in row.loads)))
        measures.append(Measure(subject, "p99", "ms", (percentile(latencies, 0.99),)))
        measures.append(Measure(subject, "max", "ms", (max(latencies),)))
        slow = float(sum(latency > SLOW_MS for latency in latencies))
        measures.append(Measure(subject, f"over {SLOW_MS} ms", "", (slow,)))
        measures.append(Measure(subject, "failed", "", (float(sum(load.failures for load in row.loads)),)))
    return Section(
        "api-servers",
        "API servers of the inventory",
        tuple(measures),
        (
            "sam: the unmodified sam local start-api; gateway: the emulator itself, on the same environments;",
            "uvicorn: the application in one process, without Lambda: the floor;",
            "ministack: MiniStack's own HTTP API and Lambda, with its own table and without IAM;",
            "processor: what all servers took of the processors for each right answer.",
            *notes,
        ),
        is_matrix=True,
    )


def ratio_section(rows: list[Row]) -> Section:
    """Return how the gateway compares with the other API servers, pair by pair."""
    found = {(row.route, row.clients, row.server): row.rates for row in rows}
    measures = []
    for route, clients, server in found:
        if server == "gateway":
            subject = f"{route} · {clients} client{'s' if clients > 1 else ''}"
            gateway = found[route, clients, "gateway"]
            measures.append(Measure(subject, "gateway over sam", "x", ratios(gateway, found[route, clients, "sam"])))
            uvicorn = found[route, clients, "uvicorn"]
            measures.append(Measure(subject, "gateway over uvicorn", "x", ratios(gateway, uvicorn)))
    return Section("API server ratios", "Requests a second, one API server over another", tuple(measures))


@contextlib.asynccontextmanager
async def _uvicorn(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[int]:
    """Run the inventory's application under uvicorn for the length of the block; yield its port."""
    port, printed = free_port(), folder / "uvicorn.txt"
    command = (PYTHON, "-m", "uvicorn", "app.main:app", "--host", LOOPBACK, "--port", str(port), "--no-access-log")
    search_path = f"{REPOSITORY / 'inventory_function'}:{REPOSITORY}"
    async with attached(command, {**variables, "PYTHONPATH": search_path}, printed) as process:
        await until(lambda: accepts(port) or None, process, printed, f"answer on {LOOPBACK}:{port}")
        yield port
