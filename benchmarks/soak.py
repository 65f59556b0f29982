"""Mixed load on the gateway for a minute: errors, slow answers, and whether memory and descriptors stay the same."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.api_servers import SLOW_MS, gateway_port
from benchmarks.client import Connection, Request
from benchmarks.load import ANSWER_SECONDS
from benchmarks.measure import Measure, Section, percentile
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import emulated

CLIENTS = 32
_WARM_UP_SHARE = 0.25
"""Of the minute: by then every environment has opened the connections that it keeps."""
_SAMPLES = 12
_MIB = 1024 * 1024


@dataclass
class Result:
    """The latencies of right answers by route, and the other ends."""

    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sample:
    """What the emulator holds at a moment: resident memory in MiB, open descriptors, processes below it."""

    memory: float
    descriptors: int
    processes: int


def mixture(port: int) -> Sequence[tuple[str, Request]]:
    """Return the requests that each client sends in turn: mostly reads, as a shop has them."""
    as_json = {"Content-Type": "application/json"}

    def post(path: str, **body: object) -> Request:
        return Request(port, "POST", path, json.dumps(body).encode(), as_json)

    item = "/inventory/CHIPS-BEET-80G"
    return (
        ("GET /", Request(port, "GET", "/")),
        ("GET item", Request(port, "GET", item)),
        ("GET list", Request(port, "GET", "/inventory?limit=10")),
        ("POST adjustment", post(f"{item}/adjustments", delta=1)),
        ("GET item", Request(port, "GET", item)),
        ("POST search", post("/products/search", query="vegan chips", size=3)),
        ("GET /health", Request(port, "GET", "/health")),
        ("GET file", Request(port, "GET", "/file/download/sample.txt")),
        ("POST chat", post("/chat", user_id="u1", message="hi")),
    )


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Apply the mixture by 32 clients, after a warm-up that starts every environment."""
    async with emulated(folder) as (_, running):
        port = await gateway_port(running)
        process = psutil.Process(running.process.pid)
        await asyncio.to_thread(_apply, port, plan.soak_seconds * _WARM_UP_SHARE)
        samples = [_sample(process)]
        applying = asyncio.ensure_future(asyncio.to_thread(_apply, port, plan.soak_seconds))
        for _ in range(_SAMPLES):
            await asyncio.sleep(plan.soak_seconds / _SAMPLES)
            samples.append(_sample(process))
        result = await applying
        await asyncio.sleep(1)
        samples.append(_sample(process))
    if not result.latencies_ms:
        raise BenchmarkError(f"No right answer within {plan.soak_seconds:.0f} s: {result.failures[:1]}")
    return [_section(result, samples, plan.soak_seconds)]


def _section(result: Result, samples: Sequence[Sample], seconds: float) -> Section:
    everything = [latency for latencies in result.latencies_ms.values() for latency in latencies]
    whole = [
        Measure("all", "throughput", "requests/s", (len(everything) / seconds,)),
        Measure("all", "failed", "", (float(len(result.failures)),)),
        Measure("all", f"over {SLOW_MS} ms", "", (float(sum(each > SLOW_MS for each in everything)),)),
    ]
    for route, latencies in result.latencies_ms.items():
        whole += [
            Measure(route, "p50", "ms", (percentile(latencies, 0.5),)),
            Measure(route, "p99", "ms", (percentile(latencies, 0.99),)),
            Measure(route, "max", "ms", (max(latencies),)),
        ]
    first, last = samples[0], samples[-1]
    whole += [
        Measure("emulator, before", "memory", "MiB", (first.memory,)),
        Measure("emulator, after", "memory", "MiB", (last.memory,)),
        Measure("emulator, before", "descriptors", "", (float(first.descriptors),)),
        Measure("emulator, after", "descriptors", "", (float(last.descriptors),)),
        Measure("emulator, before", "processes", "", (float(first.processes),)),
        Measure("emulator, after", "processes", "", (float(last.processes),)),
        Measure("emulator, most", "memory", "MiB", (max(sample.memory for sample in samples),)),
    ]
    notes = (f"{CLIENTS} clients, {seconds:.0f} s, through the gateway; failures: {_counted(result.failures)}.",)
    return Section("soak", "A minute of mixed load", tuple(whole), notes)


def _counted(failures: Sequence[str]) -> str:
    counts = {failure: failures.count(failure) for failure in set(failures)}
    return "; ".join(f"{count} of {failure}" for failure, count in sorted(counts.items())) or "none"


def _apply(port: int, seconds: float) -> Result:
    result = Result()

    async def send() -> None:
        deadline = time.perf_counter() + seconds
        await asyncio.gather(*(_client(port, number, deadline, result) for number in range(CLIENTS)))

    asyncio.run(send())
    return result


async def _client(port: int, number: int, deadline: float, result: Result) -> None:
    turns = itertools.cycle([(route, request, request.encoded()) for route, request in mixture(port)])
    for _ in range(number):  # the clients do not all send the same request at the same time
        next(turns)
    connection = Connection()
    while time.perf_counter() < deadline:
        route, request, encoded = next(turns)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                took, _ = await connection.send(request, encoded)
            result.latencies_ms.setdefault(route, []).append(took)
        except (BenchmarkError, TimeoutError) as error:
            result.failures.append(str(error)[:100] or f"{route}: no answer within {ANSWER_SECONDS} s")
    connection.close()


def _sample(process: psutil.Process) -> Sample:
    children = process.children(recursive=True)
    return Sample(process.memory_info().rss / _MIB, process.num_fds(), len(children))
