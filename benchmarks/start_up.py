"""How long `make start` takes on a set-up checkout, and how much of it is the emulator, how much `sam`."""

from __future__ import annotations

import re
import time
from pathlib import Path

from benchmarks.measure import Measure, Section, ratios
from benchmarks.plan import Plan
from benchmarks.processes import SAM, attached, environment, timed, until
from emulator.processes.ports import free_port
from emulator.project.paths import StatePaths

_READY = re.compile(r"^Ready: http", re.MULTILINE)


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure `make start` and, beside each, `sam --version`."""
    floors, emulators, sams, gateways = [], [], [], []
    await _start(_new(folder, "first"))  # the first start after a change writes bytecode
    await _start_gateway(_new(folder, "first-gateway"))
    for number in range(plan.runs):
        floors.append((await timed([SAM, "--version"], environment(StatePaths(folder)), folder)).seconds)
        emulator, sam = await _start(_new(folder, f"start-{number}"))
        emulators.append(emulator)
        sams.append(sam)
        gateways.append(await _start_gateway(_new(folder, f"gateway-{number}")))
    totals = [sum(parts) for parts in zip(emulators, sams, strict=True)]
    section = Section(
        "start",
        "Start on a set-up checkout",
        (
            Measure("sam --version", "wall", "s", tuple(floors), charted=True),
            Measure("make start", "until Ready", "s", tuple(totals), charted=True),
            Measure("make start", "emulator", "s", tuple(emulators), charted=True),
            Measure("make start", "sam", "s", tuple(sams), charted=True),
            Measure("make start", "over sam --version", "x", ratios(totals, floors)),
            Measure("make start FRONT=gateway", "until Ready", "s", tuple(gateways), charted=True),
        ),
        ("The emulator part ends when its backing services answer; from there on it is sam local start-api.",),
    )
    return [section]


async def _start(folder: Path) -> tuple[float, float]:
    """Return the seconds from `make start` to a running emulator, and from there to `Ready:`."""
    paths, printed = StatePaths(folder / "state"), folder / "output.txt"
    began = time.perf_counter()
    async with attached(["make", "start", f"PORT={free_port()}"], environment(paths), printed) as process:
        await until(paths.running, process, printed, "emulator")
        emulated = time.perf_counter()
        await until(lambda: _READY.search(printed.read_text(errors="replace")), process, printed, "line `Ready:`")
        return emulated - began, time.perf_counter() - emulated


async def _start_gateway(folder: Path) -> float:
    """Return the seconds from `make start FRONT=gateway` to `Ready:`."""
    printed, began = folder / "output.txt", time.perf_counter()
    command = ["make", "start", "FRONT=gateway", f"PORT={free_port()}"]
    async with attached(command, environment(StatePaths(folder / "state")), printed) as process:
        await until(lambda: _READY.search(printed.read_text(errors="replace")), process, printed, "line `Ready:`")
        return time.perf_counter() - began


def _new(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder
