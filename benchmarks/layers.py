"""Warm latency and throughput in three layers: `sam local start-api`, the engine behind it, the handler within that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.function_process import call_handler, function_environment
from benchmarks.load import STALL_MS, Load, Request, answer, apply
from benchmarks.measure import Measure, Section, differences, percentile, ratios
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import FUNCTION, emulated, start_api
from benchmarks.routes import ROUTES, Route
from emulator.project.paths import RunningEmulator

CLIENTS = (1, 8, 32)
LAYERS = ("handler", "engine", "sam")
_WARM_UP_SECONDS = 2
_INVOCATIONS = "/2015-03-31/functions/function/invocations"
_PERCENTILES = ((0.95, "p95"), (0.99, "p99"), (1.0, "max"))


@dataclass(frozen=True)
class Row:
    """The load on one layer by so many clients, round by round."""

    route: str
    layer: str
    clients: int
    loads: tuple[Load, ...]


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure each layer by the same number of clients right after one another, round after round."""
    taken: dict[tuple[Route, str, int], list[Load]] = {}
    async with emulated(folder) as (paths, running), start_api(folder, paths, running) as port:
        engine_port = container_port(running)
        requests = {route: {"sam": _to_sam(port, route), "engine": _to_engine(engine_port, route)} for route in ROUTES}
        for route in ROUTES:
            await asyncio.to_thread(answer, requests[route]["engine"])
            await asyncio.to_thread(apply, requests[route]["sam"], max(CLIENTS), _WARM_UP_SECONDS)
        variables = await function_environment(paths, running)
        for _ in range(plan.rounds):
            for route in ROUTES:
                alone = await call_handler(route, variables, plan.seconds, folder)
                taken.setdefault((route, "handler", 1), []).append(alone)
                for clients in CLIENTS:
                    for layer, request in requests[route].items():
                        load = await asyncio.to_thread(apply, request, clients, plan.seconds)
                        taken.setdefault((route, layer, clients), []).append(load)
        if container_port(running) != engine_port:
            raise BenchmarkError("A source file was saved meanwhile, and the container made anew: run again.")
    rows = [Row(route.name, layer, clients, tuple(loads)) for (route, layer, clients), loads in taken.items()]
    return [latency_section(rows), cost_section(rows)]


def container_port(running: RunningEmulator) -> int:
    """Return the port of the function's container. Raises `BenchmarkError` when the engine has none."""
    socket = (running.engine or "").removeprefix("unix://")
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket), timeout=10) as client:
        containers = client.get("http://engine/containers/json").raise_for_status().json()
    for container in containers:
        if container["Names"][0].startswith(f"/{FUNCTION}-"):
            return int(container["Ports"][0]["PublicPort"])
    raise BenchmarkError(f"The engine runs no container of {FUNCTION}.")


def latency_section(rows: list[Row]) -> Section:
    """Return each row's latencies and throughput."""
    measures: list[Measure] = []
    for row in sorted(rows, key=lambda row: (row.route, row.clients, LAYERS.index(row.layer))):
        subject = f"{row.route} · {row.layer} · {row.clients} client{'s' if row.clients > 1 else ''}"
        latencies = [latency for load in row.loads for latency in load.latencies_ms]
        p50s = tuple(load.p50_ms for load in row.loads)
        throughput = tuple(load.requests_per_second for load in row.loads)
        measures.append(Measure(subject, "p50", "ms", p50s, charted=row.clients == 1))
        measures += [Measure(subject, name, "ms", (percentile(latencies, share),)) for share, name in _PERCENTILES]
        measures.append(Measure(subject, "throughput", "requests/s", throughput, charted=row.layer != "handler"))
        measures.append(Measure(subject, f"over {STALL_MS} ms", "", (_stalls(latencies),)))
        measures.append(Measure(subject, "failed", "", (float(sum(load.failures for load in row.loads)),)))
    return Section(
        "warm",
        "Warm requests",
        tuple(measures),
        (
            "sam: HTTP to sam local start-api; engine: the same event posted to the container, as sam posts it;",
            "handler: the same event passed to the handler in a process of its own, by one caller.",
        ),
        is_matrix=True,
    )


def cost_section(rows: list[Row]) -> Section:
    """Return what each layer adds to the one below it, round by round, for one client."""
    by_layer: dict[str, dict[str, tuple[float, ...]]] = {}
    for row in rows:
        if row.clients == 1:
            by_layer.setdefault(row.route, {})[row.layer] = tuple(load.p50_ms for load in row.loads)
    measures = []
    for route, p50s in by_layer.items():
        measures.append(Measure(route, "the handler alone", "ms", p50s["handler"]))
        measures.append(Measure(route, "the engine adds", "ms", differences(p50s["engine"], p50s["handler"])))
        measures.append(Measure(route, "sam adds", "ms", differences(p50s["sam"], p50s["engine"])))
        measures.append(Measure(route, "sam over engine", "x", ratios(p50s["sam"], p50s["engine"])))
    return Section("cost", "What a layer costs a warm request (p50, 1 client)", tuple(measures))


def _stalls(latencies: list[float]) -> float:
    return float(sum(latency > STALL_MS for latency in latencies))


def _to_sam(port: int, route: Route) -> Request:
    return Request(port, "GET", route.path)


def _to_engine(port: int, route: Route) -> Request:
    # A connection for each, as SAM CLI's own call has it (`samcli/local/docker/container.py`, requests.post).
    headers = {"Content-Type": "application/json", "Connection": "close"}
    return Request(port, "POST", _INVOCATIONS, route.event, headers, expected=b'"statusCode": 200')
