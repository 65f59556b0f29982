"""How long the function's init takes, with the bytecode that the package ships and without it.

Both are read from the REPORT line of `sam local invoke`, each a new execution environment. The one without bytecode is
a copy of the build with every `__pycache__` left out; the engine runs functions with `-B`, so that it stays without.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.measure import Measure, Section, ratios
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import BUILD, emulated, invoke_command, timed
from emulator.sam.sam_cli import process_environment

_INIT = re.compile(r"^REPORT .*\bInit Duration: ([\d.]+) ms", re.MULTILINE)
_EVENT = "root.json"


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure init with and without bytecode, in turns."""
    bare = folder / "build-without-bytecode"
    shutil.copytree(BUILD, bare, ignore=shutil.ignore_patterns("__pycache__"))
    with_bytecode, without = [], []
    async with emulated(folder) as (paths, running):
        variables = process_environment(running)
        for _ in range(plan.runs):
            shipped = await timed(invoke_command(paths, _EVENT), variables, folder)
            with_bytecode.append(init_ms(shipped.output))
            options = ("--template", bare / "template.yaml", "--skip-pull-image")
            copied = await timed(invoke_command(paths, _EVENT, *options), variables, folder)
            without.append(init_ms(copied.output))
    section = Section(
        "init",
        "Init of the function, from REPORT lines",
        (
            Measure("bytecode shipped", "init", "ms", tuple(with_bytecode), charted=True),
            Measure("no bytecode", "init", "ms", tuple(without), charted=True),
            Measure("no bytecode", "over shipped", "x", ratios(without, with_bytecode)),
        ),
    )
    return [section]


def init_ms(output: str) -> float:
    """Return the init duration that a REPORT line in `output` tells. Raises `BenchmarkError` when none does."""
    found = _INIT.search(output)
    if not found:
        raise BenchmarkError(f"No REPORT line tells an init duration: {output.strip()[-300:]}")
    return float(found[1])
