"""Writes what passes the gateway as fixtures, while somebody asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from emulator.http_server import Response
from emulator.recording.fixture import Answer, Fixture, FixtureError, read_fixtures
from emulator.recording.redaction import redacted_content, redacted_event, redacted_headers

MOST_FIXTURES: Final = 500
"""In one folder."""
MOST_OF_A_ROUTE: Final = 20
MOST_BYTES: Final = 256 * 1024
"""Of the event's body and the answer's together."""
_MOST_WAITING: Final = 200
_LEASE_SECONDS: Final = 15.0
_LOG: Final = logging.getLogger(__name__)


@dataclass
class _Session:
    folder: Path
    digests: set[str]
    names: set[str]
    written: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Records into one folder at a time, for as long as `extend` is called every few seconds.

    A request that is in the folder already is not recorded again. Files are written by a thread, behind the answers.
    """

    def __init__(self) -> None:
        self._session: _Session | None = None
        self._until = 0.0
        self._waiting = 0
        self._writer: ThreadPoolExecutor | None = None

    @property
    def is_recording(self) -> bool:
        """Tell whether anything is recorded now."""
        return self._session is not None

    def extend(self, folder: Path) -> dict[str, Any]:
        """Record into `folder` from now on; return the names written since the last call, and what was left out.

        Raises FixtureError when the folder has files of that kind that cannot be read, or cannot be written to.
        """
        if self._session is None or self._session.folder != folder:
            _require_writable(folder)
            known = read_fixtures(folder)
            self._session = _Session(folder, {each.digest for each in known}, {each.name for each in known})
            self._writer = self._writer or ThreadPoolExecutor(1, "recorder")
        self._until = time.monotonic() + _LEASE_SECONDS
        written, self._session.written = self._session.written, []
        return {"written": written, "left_out": dict(self._session.left_out)}

    def stop(self, *, wait: bool = True) -> dict[str, Any]:
        """Stop recording; return what was written since the last call, and what was left out."""
        session, self._session = self._session, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.shutdown(wait=wait)
        return {"written": session.written, "left_out": dict(session.left_out)} if session else {"written": []}

    def record(self, api: str, event: Mapping[str, Any], response: Response) -> None:
        """Record one request, unless nobody asks for it any more."""
        session, writer = self._session, self._writer
        if session is None or writer is None:
            return
        if time.monotonic() > self._until:
            self.stop(wait=False)
        elif self._waiting >= _MOST_WAITING:
            session.left_out["came too quickly"] += 1
        elif len(str(event.get("body") or "")) + len(response.body) > MOST_BYTES:
            session.left_out[f"larger than {MOST_BYTES // 1024} KiB"] += 1
        else:
            moment = datetime.now(UTC).isoformat(timespec="microseconds")
            loop = asyncio.get_running_loop()
            with contextlib.suppress(RuntimeError):  # it has just been told to stop
                written = writer.submit(self._write, session, api, event, response, moment)
                self._waiting += 1
                written.add_done_callback(lambda _: self._count_down(loop))

    def _count_down(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count down in `loop`, which counts up: two threads that change a number lose changes."""

        def count_down() -> None:
            self._waiting -= 1

        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(count_down)

    def _write(self, session: _Session, api: str, event: Mapping[str, Any], response: Response, moment: str) -> None:
        try:
            fixture = recorded(api, event, response, moment)
            if fixture.digest in session.digests:
                return
            name = _free_name(fixture.base_name(), session)
            if name is None:
                return
            replace(fixture, name=name).write(session.folder)
            session.digests.add(fixture.digest)
            session.names.add(name)
            session.written.append(name)
        except Exception as error:
            session.left_out["could not be written"] += 1
            _LOG.warning("A fixture could not be written to %s: %s.", session.folder, error)


def _require_writable(folder: Path) -> None:
    """Make the folder. Raises FixtureError with the remedy when it cannot be made or written to."""
    reason = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise FixtureError(f"Fixtures cannot be written to {folder} ({reason}): name a folder that can be made.")


def recorded(api: str, event: Mapping[str, Any], response: Response, moment: str) -> Fixture:
    """Return the fixture of a request and its answer, without their secrets."""
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    body = redacted_content(response.body)
    return Fixture("", redacted_event(event), Answer(api, response.status, redacted_headers(headers), body, moment))


def _free_name(base: str, session: _Session) -> str | None:
    if len(session.names) >= MOST_FIXTURES:
        session.left_out[f"beyond {MOST_FIXTURES} fixtures"] += 1
        return None
    for number in range(1, MOST_OF_A_ROUTE + 1):
        name = base if number == 1 else f"{base}_{number}"
        if name not in session.names:
            return name
    session.left_out[f"beyond {MOST_OF_A_ROUTE} of a route"] += 1
    return None


__all__ = ["FixtureError", "Recorder", "recorded"]
