"""How long it takes from a saved source file to the first answer that shows the change.

The checkout stays as it is: the file is saved in a copy of it, which has an emulator and a `sam` of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import shutil
import time
from pathlib import Path

from benchmarks.measure import Measure, Section
from benchmarks.plan import BenchmarkError, Plan
from benchmarks.processes import emulated, start_api
from emulator.processes.ports import LOOPBACK
from sam_template.repository import INSTALLED, REPOSITORY

CHANGED_SECONDS = 20
_HEADER = "x-revision"
_SOURCE = "inventory_function/app/lambda_handler.py"
_POLL_SECONDS = 0.01
_NOT_COPIED = (".git", ".venv", ".local", ".hypothesis", ".*_cache", "results")
_REVISION = """

_handler_before_revision = lambda_handler


def lambda_handler(event, context):
    answer = _handler_before_revision(event, context)
    answer.setdefault("headers", {{}})["{header}"] = "{revision}"
    return answer
"""


async def measure(plan: Plan, folder: Path) -> list[Section]:
    """Measure edits of the handler's module, each followed by requests one after the other."""
    repository = copy_checkout(REPOSITORY, INSTALLED, folder / "checkout")
    source = repository / _SOURCE
    original = source.read_text()
    taken: list[float] = []
    failed: list[str] = []
    async with (
        emulated(folder, repository=repository) as (paths, running),
        start_api(folder, paths, running, repository=repository) as port,
    ):
        await asyncio.to_thread(_revision, port)  # the container is warm
        for number in range(plan.runs):
            began = time.perf_counter()
            source.write_text(revised(original, number))
            failed += await _shown(port, str(number))
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(1)  # what the reload started has settled
    section = Section(
        "reload",
        "From a saved source file to the first answer that shows it",
        (
            Measure("GET /", "reload", "s", tuple(taken), charted=True),
            Measure("GET /", "failed answers meanwhile", "", (float(len(failed)),)),
        ),
        tuple(f"Failed meanwhile: {failure}" for failure in sorted(set(failed))),
    )
    return [section]


def copy_checkout(repository: Path, installed: Path, copy: Path) -> Path:
    """Copy a set-up checkout, its build included; what was installed is shared. Return the copy."""
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    (copy / ".local").symlink_to(installed)
    return copy


def revised(source: str, revision: int) -> str:
    """Return the handler's module with a handler whose answers name their revision."""
    return source + _REVISION.format(header=_HEADER, revision=revision)


async def _shown(port: int, revision: str) -> list[str]:
    """Return once an answer shows `revision`: how requests failed meanwhile."""
    failed: list[str] = []
    deadline = time.monotonic() + CHANGED_SECONDS
    while time.monotonic() < deadline:
        try:
            if await asyncio.to_thread(_revision, port) == revision:
                return failed
        except BenchmarkError as failure:
            failed.append(str(failure))
        await asyncio.sleep(_POLL_SECONDS)
    raise BenchmarkError(f"No answer showed a change within {CHANGED_SECONDS} s.")


def _revision(port: int) -> str | None:
    """Return the revision that an answer names. Raises `BenchmarkError` for any but a right answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=CHANGED_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchmarkError(f"GET / was not answered: {type(error).__name__}.") from error
    if response.status != 200:
        raise BenchmarkError(f"GET / was answered {response.status}: {body[:200].decode(errors='replace').strip()}")
    return response.getheader(_HEADER)
