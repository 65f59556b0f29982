"""Init and the first answer of each route: ours, the baseline, the floor with the framework, the floor.

Every cold start is one of the engine, without `sam` and the gateway, against the emulator's backing services, each with
the variables and the role of the service. In each round every subject has its turn, and ratios are those of one round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.baselines.cold_start import ColdStart, cold_start, function
from benchmarks.baselines.import_chart import Panel, waterfall
from benchmarks.baselines.packages import package
from benchmarks.baselines.subjects import BASELINE, FRAMEWORK, OURS, SERVICES, Request, Service, Subject
from benchmarks.function_process import service_environment
from benchmarks.measure import Measure, Section, ratios
from benchmarks.plan import Plan
from benchmarks.processes import declared_function, emulated
from emulator.engine import Engine
from emulator.engine.function import Function
from emulator.interpreters import find_interpreter
from emulator.metrics import import_times
from sam_template.repository import INSTALLED, REPOSITORY

NAME: Final = "baselines"
_EVENTS: Final = REPOSITORY / "events"


@dataclass(frozen=True)
class Case:
    """A subject's request, and the function that answers it."""

    service: Service
    subject: Subject
    request: Request
    function: Function


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure every case in turns, after one cold start of each that fills the file system's cache."""
    taken: dict[tuple[str, str, str], list[ColdStart]] = {}
    charts: dict[str, str] = {}
    engine = Engine(folder / "run" / "engine.sock", installed=INSTALLED)
    async with emulated(folder) as (paths, running):
        cases = [
            case
            for service in SERVICES
            for case in await _cases(service, await service_environment(paths, running, service.logical_id), folder)
        ]
        await engine.start()
        try:
            for case in cases:
                await _cold_start(engine, case)
            for _ in range(plan.runs):
                for case in cases:
                    key = case.service.name, case.subject.kind, case.request.name
                    taken.setdefault(key, []).append(await _cold_start(engine, case))
            for service in SERVICES:
                charts[f"imports-{service.name}.svg"] = await _chart(engine, service, cases)
        finally:
            await engine.stop()
    return [*(section(service, taken, charts) for service in SERVICES), goals(taken)]


def section(service: Service, taken: dict[tuple[str, str, str], list[ColdStart]], charts: dict[str, str]) -> Section:
    """Return init, the first answer, their sum and the processor time of each case of a service."""
    measures = []
    for (name, kind, request), starts in taken.items():
        if name != service.name:
            continue
        subject = f"{request} · {kind}"
        measures.append(Measure(subject, "init", "ms", tuple(start.init_ms for start in starts)))
        measures.append(Measure(subject, "first answer", "ms", tuple(start.first_ms for start in starts)))
        cold = tuple(start.cold_ms for start in starts)
        measures.append(Measure(subject, "init and first answer", "ms", cold, charted=True))
        measures.append(Measure(subject, "processor", "ms", tuple(start.cpu_ms for start in starts)))
    chart = f"imports-{service.name}.svg"
    return Section(
        f"{NAME}-{service.name}",
        f"Cold starts of the {service.name} beside the usual way",
        tuple(measures),
        files={chart: charts[chart]},
    )


def goals(taken: dict[tuple[str, str, str], list[ColdStart]]) -> Section:
    """Return ours over the others, round by round: init and first answer, and the processor time of both."""
    measures = []
    for (name, other, request), starts in taken.items():
        if other not in (BASELINE, FRAMEWORK):
            continue
        ours = taken[name, OURS, request]
        wall = ratios([start.cold_ms for start in ours], [start.cold_ms for start in starts])
        processor = ratios([start.cpu_ms for start in ours], [start.cpu_ms for start in starts])
        measures.append(Measure(f"{request}, ours over {other}", "time", "x", wall))
        measures.append(Measure(f"{request}, ours over {other}", "processor", "x", processor))
    return Section(f"{NAME}-ratios", "Init and first answer, ours over another", tuple(measures))


async def _cases(service: Service, variables: dict[str, str], folder: Path) -> list[Case]:
    runtime = declared_function().runtime
    interpreter = find_interpreter(runtime)
    cases = []
    for subject in service.subjects:
        task_root = await package(service, subject, interpreter, folder)
        name = f"{service.name}-{subject.kind}".replace(" ", "-")
        started = function(name, runtime, subject.handler, task_root, variables)
        cases += [Case(service, subject, request, started) for request in subject.requests]
    return cases


async def _cold_start(engine: Engine, case: Case) -> ColdStart:
    return await cold_start(engine, case.function, (_EVENTS / case.request.event).read_bytes())


async def _chart(engine: Engine, service: Service, cases: Sequence[Case]) -> str:
    """Return the imports of the baseline's init, before, and of ours, after."""
    panels = []
    for heading, kind in (("before: the usual way", BASELINE), ("after: ours", OURS)):
        (name, *_) = [case.function.name for case in cases if (case.service, case.subject.kind) == (service, kind)]
        panels.append(Panel(heading, tuple(import_times.read(await engine.functions.time_imports(name)))))
    return waterfall(f"Imports of an init: {service.name}", panels)
