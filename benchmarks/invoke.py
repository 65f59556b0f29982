"""How long one `sam local invoke` takes beside a running emulator, and how much of it is the start of `sam`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Measure, Section, ratios
from benchmarks.plan import Plan
from benchmarks.processes import SAM, emulated, invoke_command, timed
from emulator.sam.sam_cli import process_environment

_EVENT = "get_item.json"


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure `sam local invoke` and, beside each, `sam` printing its version and that command's help."""
    floors, helps, walls = [], [], []
    async with emulated(folder) as (paths, running):
        variables = process_environment(running)
        for _ in range(plan.runs):
            floors.append((await timed([SAM, "--version"], variables, folder)).seconds)
            helps.append((await timed([SAM, "local", "invoke", "--help"], variables, folder)).seconds)
            walls.append((await timed(invoke_command(paths, _EVENT), variables, folder)).seconds)
    section = Section(
        "invoke",
        f"sam local invoke, events/inventory/{_EVENT}",
        (
            Measure("sam --version", "wall", "s", tuple(floors), charted=True),
            Measure("sam local invoke --help", "wall", "s", tuple(helps), charted=True),
            Measure("sam local invoke", "wall", "s", tuple(walls), charted=True),
            Measure("sam local invoke", "over sam --version", "x", ratios(walls, floors)),
            Measure("sam local invoke", "over its --help", "x", ratios(walls, helps)),
        ),
        ("--help imports what the command needs and runs nothing: SAM CLI's own start.",),
    )
    return [section]
