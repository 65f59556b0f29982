"""`python -m benchmarks`: measure, print, and keep the results."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks import (
    api_servers,
    assistant,
    cold_request,
    init_duration,
    invoke,
    layers,
    package_size,
    reload,
    soak,
    start_up,
)
from benchmarks.baselines import comparison, page
from benchmarks.measure import Section
from benchmarks.plan import FULL, QUICK, BenchmarkError, Plan
from benchmarks.processes import declared_function, environment, timed
from benchmarks.results import FOLDER, Run, headline, write
from benchmarks.table import section_text
from emulator.errors import EmulatorError
from emulator.interpreters import InterpreterNotFoundError, find_interpreter
from emulator.project.paths import StatePaths

Benchmark = Callable[[Plan, Path], Awaitable[list[Section]]]

BENCHMARKS: dict[str, Benchmark] = {
    "start": start_up.measure,
    "invoke": invoke.measure,
    "cold": cold_request.measure,
    "warm": layers.measure,
    "api-servers": api_servers.measure,
    "soak": soak.measure,
    "init": init_duration.measure,
    "package": package_size.measure,
    "reload": reload.measure,
    "assistant": assistant.measure,
    comparison.NAME: comparison.measure,
}
_LIMIT_SECONDS = 240


async def measure_all(names: Sequence[str], plan: Plan) -> tuple[list[Section], list[str]]:
    """Run the named benchmarks one after the other, printing each; return what came of them and what failed."""
    sections: list[Section] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder_name:
        folder = Path(folder_name)
        await timed(["make", "build"], environment(StatePaths(folder)), folder)
        for name in names:
            try:
                async with asyncio.timeout(_LIMIT_SECONDS):
                    measured = await BENCHMARKS[name](plan, Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder)))
            except TimeoutError:
                failures.append(f"{name}: not done within {_LIMIT_SECONDS} s.")
            except (BenchmarkError, EmulatorError, InterpreterNotFoundError, OSError) as error:
                failures.append(f"{name}: {error}")
            else:
                sections += measured
                for section in measured:
                    _say(f"{section_text(section)}\n")
                continue
            _say(f"{failures[-1]}\n")
    return sections, failures


async def _interruptible(names: Sequence[str], plan: Plan) -> tuple[list[Section], list[str]]:
    """Let SIGTERM and SIGHUP end what was started, as Ctrl-C does."""
    task = asyncio.ensure_future(measure_all(names, plan))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the local loop.")
    parser.add_argument("--quick", action="store_true", help="measure less often: to see that it works")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="where to write; a whole run has a folder")
    arguments = parser.parse_args()
    names = arguments.only or list(BENCHMARKS)
    folder = arguments.results or (FOLDER if not arguments.quick and not arguments.only else None)
    compares = comparison.NAME in names and not (arguments.quick and arguments.results is None)
    try:
        interpreter = find_interpreter(declared_function().runtime)
        run = Run.now(function_python=interpreter.version, is_quick=arguments.quick)
        _say(f"{headline(run)}\n")
        if run.is_noisy:
            _say("The machine has other work: these results are not worth keeping.\n")
        began = time.monotonic()
        sections, failures = asyncio.run(_interruptible(names, QUICK if arguments.quick else FULL))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (BenchmarkError, InterpreterNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if folder and sections:
        write(folder, run, sections, failures)
    if compares and not failures:
        # In files of their own: it is measured apart, too, without the rest.
        page.write(folder or FOLDER, run, sections)
        page.PAGE.write_text(page.replace(page.PAGE.read_text(encoding="utf-8"), page.tables(run, sections)))
    kept = folder or (FOLDER if compares and not failures else None)
    _say(f"Done in {time.monotonic() - began:.0f} s{f'; results in {kept.name}/' if kept else ''}.")
    return 1 if failures else 0


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
