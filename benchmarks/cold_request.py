"""How long a request takes when `sam local start-api` makes a container for each."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from benchmarks.load import Request, answer
from benchmarks.measure import Measure, Section, percentile
from benchmarks.plan import Plan
from benchmarks.processes import emulated, start_api
from benchmarks.routes import ROUTES
from sam_template.repository import SAMCONFIG


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure cold requests through `sam local start-api` without `--warm-containers`."""
    settings = folder / "samconfig.toml"
    settings.write_text(without_warm_containers(SAMCONFIG.read_text()))
    latencies: dict[str, list[float]] = {route.name: [] for route in ROUTES}
    async with (
        emulated(folder) as (paths, running),
        start_api(folder, paths, running, "--config-file", settings) as port,
    ):
        for _ in range(plan.requests):
            for route in ROUTES:
                request = Request(port, "GET", route.path)
                latencies[route.name].append((await asyncio.to_thread(answer, request))[0])
    measures = []
    for name, values in latencies.items():
        measures.append(Measure(name, "latency", "ms", tuple(values), charted=True))
        measures.append(Measure(name, "p95", "ms", (percentile(values, 0.95),)))
    return [Section("cold", "Cold requests: a container for each", tuple(measures))]


def without_warm_containers(settings: str) -> str:
    """Return `samconfig.toml` without the line that keeps containers warm."""
    return re.sub(r"^warm_containers\s*=.*\n?", "", settings, flags=re.MULTILINE)
