"""The assistant with fakes that answer at once: init, the first chat, warm chats and searches, its package."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.init_duration import init_ms
from benchmarks.measure import Measure, Section, percentile
from benchmarks.package_size import MEGABYTE, sizes
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import BUILD, SAM, emulated, start_api, timed
from emulator.processes.ports import LOOPBACK
from emulator.sam.sam_cli import process_environment
from sam_template.repository import REPOSITORY

FUNCTION = "ShopbotFunction"
_EVENT = REPOSITORY / "events" / "shopbot" / "chat_search.json"
_DURATION = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms", re.MULTILINE)
_WARM_REQUESTS_PER_RUN = 20
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "POST /chat": ("/chat", {"user_id": "u1", "message": "vegan chips under 100 rupees"}),
    "POST /products/search": ("/products/search", {"query": "vegan chips under 100 rupees"}),
    "GET /health": ("/health", {}),
}


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure cold chats through `sam local invoke`, then warm requests through `sam local start-api`."""
    init, first = [], []
    async with emulated(folder) as (paths, running):
        command: list[str | Path] = [
            SAM,
            "local",
            "invoke",
            FUNCTION,
            "--event",
            _EVENT,
            "--env-vars",
            paths.sam_environment,
        ]
        for _ in range(plan.runs):
            output = (await timed(command, process_environment(running), folder)).output
            init.append(init_ms(output))
            first.append(_duration_ms(output))
        async with (
            start_api(folder, paths, running) as port,
            httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=30) as client,
        ):
            warm = {name: await _latencies(client, name, plan.runs * _WARM_REQUESTS_PER_RUN) for name in REQUESTS}
    unzipped, zipped = sizes(BUILD / FUNCTION)
    measures = [
        Measure(FUNCTION, "init", "ms", tuple(init), charted=True),
        Measure(FUNCTION, "first chat after init", "ms", tuple(first), charted=True),
    ]
    for name, values in warm.items():
        measures.append(Measure(name, "warm", "ms", tuple(values), charted=True))
        measures.append(Measure(name, "p95", "ms", (percentile(values, 0.95),)))
    measures.append(Measure(FUNCTION, "package", "MB", (unzipped / MEGABYTE,)))
    measures.append(Measure(FUNCTION, "package, zipped", "MB", (zipped / MEGABYTE,)))
    return [Section("assistant", "The assistant, over instant fakes", tuple(measures))]


async def _latencies(client: httpx.AsyncClient, name: str, requests: int) -> list[float]:
    path, body = REQUESTS[name]
    values = []
    for _ in range(requests):
        began = time.perf_counter()
        answer = await (client.post(path, json=body) if body else client.get(path))
        values.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise BenchmarkError(f"{name} was answered {answer.status_code}: {answer.text[:200]}")
    return values[1:]  # the first makes the clients


def _duration_ms(output: str) -> float:
    found = _DURATION.search(output)
    if not found:
        raise BenchmarkError(f"No REPORT line tells a duration: {output.strip()[-300:]}")
    return float(found[1])
