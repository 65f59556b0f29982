"""`record` keeps what passes the gateway as fixtures; `replay` sends fixtures again and shows what differs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emulator.command_names import spelled
from emulator.commands.foreground import emulator, interruptible
from emulator.control import ask, required
from emulator.errors import EmulatorError
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.recording.fixture import Fixture, read_fixtures
from emulator.recording.replay import Difference, differences, request_of, send

_POLL_SECONDS = 0.5


async def record(paths: StatePaths, folder: Path) -> None:
    """Record into `folder` what passes the gateway of the running emulator, until a signal. Raises `EmulatorError`."""
    running = await required(paths)
    told = await ask(running, "record", str(folder))
    if not told["apis"]:
        raise EmulatorError(f"No gateway is open: {spelled('up')} or {spelled('start', front='gateway')} opens one.")
    addresses = "  ".join(url for _, _, url in told["apis"])
    _say(f"Recording into {_shown(folder)} what is asked of {addresses} (Ctrl-C stops).")
    async with interruptible() as interrupted:
        stopped = asyncio.ensure_future(interrupted())
        while not stopped.done():
            await asyncio.wait([stopped], timeout=_POLL_SECONDS)
            told = await ask(running, "record", "" if stopped.done() else str(folder))
            for name in told["written"]:
                _say(f"  {name}.json")
    for reason, count in (told.get("left_out") or {}).items():
        _say(f"Left out: {count} that {'were ' if reason.startswith('larger') else ''}{reason}.")


async def replay(project: Project, paths: StatePaths, folder: Path, secrets: Mapping[str, str]) -> int:
    """Send the fixtures of `folder` to the running emulator, or to one for the length of the run; print what differs.

    Return 1 when something does. Raises `EmulatorError`.
    """
    fixtures = read_fixtures(folder)
    if not fixtures:
        raise EmulatorError(f"{_shown(folder)} holds no recorded fixture: {spelled('record')} writes some.")
    async with interruptible() as interrupted, emulator(project, paths, gateway_port=0) as (running, ended):
        work = asyncio.ensure_future(_replayed(running, fixtures, secrets))
        ends = [asyncio.ensure_future(interrupted()), asyncio.ensure_future(ended())]
        await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise EmulatorError("The replay was ended before its last fixture.")
        found = work.result()
    _say(rendered(found, len(fixtures)))
    return 1 if found else 0


async def _replayed(
    running: RunningEmulator, fixtures: Sequence[Fixture], secrets: Mapping[str, str]
) -> list[Difference]:
    apis: list[list[Any]] = (await ask(running, "status"))["apis"]
    ports = {api: url.split()[0] for api, _, url in apis}
    found = []
    for fixture in fixtures:
        url = ports.get(fixture.answer.api)
        if url is None:
            raise EmulatorError(
                f"{fixture.name}.json was recorded at {fixture.answer.api}, which no gateway serves: remove it."
            )
        now = await asyncio.to_thread(send, url, fixture.answer.api, request_of(fixture, secrets))
        found += differences(fixture, now)
    return found


def rendered(found: Sequence[Difference], count: int) -> str:
    """Return the differences as a table, and a last line that counts."""
    differing = len({each.fixture for each in found})
    last = f"{count} fixture{'s' if count > 1 else ''}, {differing or 'none'} with differences."
    if not found:
        return last
    rows = [("fixture", "where", "recorded", "now")]
    rows += [(each.fixture, each.where, each.recorded, each.now) for each in found]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", last])


def parsed_secrets(texts: Sequence[str]) -> dict[str, str]:
    """Return the values by lower-case names of `NAME=VALUE` texts. Raises `EmulatorError`."""
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise EmulatorError("A secret is given as NAME=VALUE, for example SECRETS='x-api-key=...'.")
        found[name.strip().lower()] = value
    return found


def _shown(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
