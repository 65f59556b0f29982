"""What a run has been used for so far: the document of `make report`."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import psutil

from emulator.engine import EngineError
from emulator.engine.environment import InitFailedError
from emulator.engine.running_function import RunningFunctions
from emulator.metrics import FunctionMetrics, Metrics, import_times, lambda_prices
from emulator.metrics.histogram import Histogram
from sam_template import Template

HEAVIEST: Final = 10
_LAMBDAS_DEFAULT: Final = "x86_64"


async def functions(running: RunningFunctions, template: Template) -> list[dict[str, Any]]:
    """Return what each function did that ran, and what its init imports: that takes an init more of each."""
    names = sorted(running.names())
    imports = await asyncio.gather(*(_imports(running, name) for name in names))
    found = []
    for name, imported in zip(names, imports, strict=True):
        declared = template.functions.get(name)
        architecture = declared.architecture if declared is not None else _LAMBDAS_DEFAULT
        pids = [environment.pid for environment in running.environments(name)]
        found.append(
            {
                "function": name,
                **_function(running.metrics.function(name), running.described(name).memory_mb, architecture),
                "imports": imported,
                "environments": await asyncio.to_thread(memory, pids),
            }
        )
    return found


def routes(metrics: Metrics, apis_with: Callable[[str], Sequence[str]]) -> list[dict[str, Any]]:
    """Return the counts of each route that was asked for, those asked for most first.

    `apis_with` tells which APIs have a route: the events that `sam local start-api` makes do not.
    """
    found = [
        {"api": api or ", ".join(apis_with(route)), "server": server, "route": route, **asdict(count)}
        for (server, api), counted in metrics.apis.items()
        for route, count in counted
    ]
    return sorted(found, key=lambda row: (-row["requests"], row["route"], row["server"]))


def memory(pids: Sequence[int]) -> dict[str, Any]:
    """Return what one of the processes, with those that it started, takes: the medians of RSS and of PSS, in bytes.

    PSS shares what several processes have in common out among them; it is None where the system does not tell.
    """
    resident, proportional = [], []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            measured = [each.memory_full_info() for each in (process, *process.children(recursive=True))]
        except psutil.Error:
            continue  # it has ended
        resident.append(sum(each.rss for each in measured))
        proportional.append(sum(getattr(each, "pss", 0) for each in measured))
    return {
        "count": len(resident),
        "rss_bytes": int(statistics.median(resident)) if resident else None,
        "pss_bytes": int(statistics.median(proportional)) or None if proportional else None,
    }


def _function(metrics: FunctionMetrics, memory_mb: int, architecture: str) -> dict[str, Any]:
    dollars = lambda_prices.dollars(
        requests=metrics.invocations,
        billed_ms=metrics.billed_ms,
        memory_mb=memory_mb,
        architecture=architecture,
    )
    return {
        "architecture": architecture,
        "memory_mb": memory_mb,
        "inits": {"count": metrics.inits.count, "failed": metrics.failed_inits, **_durations(metrics.inits)},
        "invocations": metrics.invocations,
        "errors": metrics.errors,
        "timeouts": metrics.timeouts,
        "warm": {"count": metrics.warm.count, **_durations(metrics.warm)},
        "peak_memory_bytes": metrics.peak_memory,
        "billed_ms": metrics.billed_ms,
        "dollars": dollars,
        "dollars_a_million": dollars / metrics.invocations * 1_000_000 if metrics.invocations else None,
    }


def _durations(histogram: Histogram) -> dict[str, float | None]:
    values = {f"p{percent}_ms": histogram.percentile(percent / 100) for percent in (50, 95, 99)}
    values["max_ms"] = histogram.largest if histogram.count else None
    return {name: None if value is None else round(value, 3) for name, value in values.items()}


async def _imports(running: RunningFunctions, name: str) -> Mapping[str, Any]:
    """Return the heaviest packages of an init, or the sentence that says why there are none."""
    try:
        lines = await running.time_imports(name)
    except InitFailedError:
        return {"error": f"Its init failed: `make invoke FUNCTION={name} EVENT=...` shows why."}
    except (EngineError, OSError) as error:
        return {"error": str(error)}
    packages = import_times.packages(import_times.read(lines))
    return {
        "total_ms": round(sum(package.own_ms for package in packages), 1),
        "packages": [
            {"package": each.package, "own_ms": round(each.own_ms, 1), "total_ms": round(each.total_ms, 1)}
            for each in packages[:HEAVIEST]
        ],
    }
