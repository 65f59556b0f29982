"""Notice that a function's code has changed.

SAM CLI has a watcher too, and deletes the container on a change; but two of its locks are taken in opposite orders
(`SingletonFileObserver` and `LambdaFunctionObserver`, samcli/lib/utils/file_observer.py), so that a request that meets
a change can hang `sam` for good. With `--no-watch` SAM leaves it to this one, which lets requests under way end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EVENT_TYPE_MOVED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from emulator.processes.file_watches import unnoticed_changes

_LOG = logging.getLogger(__name__)
_CHANGES = {EVENT_TYPE_CLOSED, EVENT_TYPE_CREATED, EVENT_TYPE_DELETED, EVENT_TYPE_MODIFIED, EVENT_TYPE_MOVED}
_QUIET_SECONDS = 0.25
"""A build writes many files: the change is over when none was written for this long."""
_BYTECODE = ("__pycache__", ".pyc")


class CodeWatch:
    """Calls `on_change` on the event loop when something under `folder` has changed and is quiet again.

    The folder may be removed and made again, as `sam build` does. `failure` says why changes are not noticed and what
    helps, "" while they are.
    """

    def __init__(self, folder: Path, on_change: Callable[[], None]) -> None:
        self._folder = Path(os.path.realpath(folder))  # as events name it
        self._on_change = on_change
        self.failure = ""
        self._loop = asyncio.get_running_loop()
        self._quiet: asyncio.TimerHandle | None = None
        self._observer: BaseObserver | None = None
        self._watch: ObservedWatch | None = None

    async def start(self, since: float) -> None:
        """Begin to watch; a file that is newer than `since` (seconds since the epoch) counts as a change."""
        observing = asyncio.ensure_future(asyncio.to_thread(self._observe))
        try:
            self._observer = await asyncio.shield(observing)
        except asyncio.CancelledError:
            await asyncio.wait({observing})
            if observing.exception() is None:
                _end(observing.result())
            raise
        except OSError as error:
            self._fail(error)
            return
        if await asyncio.to_thread(_is_newer, self._folder, since):
            self._note()

    async def stop(self) -> None:
        """Stop watching."""
        observer, self._observer = self._observer, None
        if self._quiet is not None:
            self._quiet.cancel()
        if observer is not None:
            await asyncio.to_thread(_end, observer)

    def _observe(self) -> BaseObserver:
        observer: BaseObserver = Observer()
        observer.start()  # type: ignore[no-untyped-call]
        try:
            self._watch = _schedule(observer, self._folder, self._seen, recursive=True)
            _schedule(observer, self._folder.parent, self._seen_beside, recursive=False)
        except BaseException:
            _end(observer)
            raise
        return observer

    def _seen(self, _: FileSystemEvent) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._note)

    def _seen_beside(self, event: FileSystemEvent) -> None:
        if str(self._folder) in (event.src_path, event.dest_path) and event.event_type != EVENT_TYPE_MODIFIED:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._begin_again)

    def _begin_again(self) -> None:
        # The watch is on the old folder; the new one has the same name.
        observer = self._observer
        if observer is None:
            return
        watch, self._watch = self._watch, None
        if watch is not None:
            with contextlib.suppress(KeyError, OSError):
                observer.unschedule(watch)  # type: ignore[no-untyped-call]
        if self._folder.is_dir():
            try:
                self._watch = _schedule(observer, self._folder, self._seen, recursive=True)
            except OSError as error:
                self._fail(error)
            else:
                self.failure = ""
            self._note()

    def _fail(self, error: OSError) -> None:
        self.failure = unnoticed_changes(error)
        _LOG.warning("%s is not watched. %s", self._folder, self.failure)

    def _note(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        if self._observer is not None:
            self._quiet = self._loop.call_later(_QUIET_SECONDS, self._on_change)


class _Handler(FileSystemEventHandler):
    def __init__(self, seen: Callable[[FileSystemEvent], None]) -> None:
        self._seen = seen

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        if event.is_directory and event.event_type == EVENT_TYPE_MODIFIED:
            return  # what is new or gone in it has an event of its own
        if event.event_type in _CHANGES and not any(mark in path for mark in _BYTECODE):
            self._seen(event)


def _is_newer(folder: Path, since: float) -> bool:
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                if not name.endswith(_BYTECODE[1]) and os.stat(os.path.join(parent, name)).st_mtime > since:  # noqa: PTH116, PTH118
                    return True
    return False


def _schedule(
    observer: BaseObserver, folder: Path, seen: Callable[[FileSystemEvent], None], *, recursive: bool
) -> ObservedWatch:
    return observer.schedule(_Handler(seen), str(folder), recursive=recursive)  # type: ignore[no-untyped-call,no-any-return]


def _end(observer: BaseObserver) -> None:
    observer.stop()  # type: ignore[no-untyped-call]
    observer.join(5)
