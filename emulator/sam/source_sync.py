"""Carry each saved source file into the build that `sam local` runs, so that an edit needs no build.

`sam` itself watches the build: it ends the warm container of a function whose code changed and makes a new one at the
next request.
"""

from __future__ import annotations

import glob
import logging
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from emulator.processes.file_watches import unnoticed_changes
from emulator.project.packaged_sources import Packaging, compile_sources

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.05
"""Editors write a file in several steps; one copy follows the last of them."""


@dataclass
class BuiltFunction:
    """A function's own sources and the folder in which `sam build` put its package."""

    sources: Path
    build: Path
    interpreter: Path
    packaging: Packaging = Packaging()  # noqa: RUF009 (frozen)
    _known: set[Path] = field(default_factory=set)
    _syncing: threading.Lock = field(default_factory=threading.Lock)

    def sync(self) -> list[Path]:
        """Copy what changed, remove what went; return the changed files, as they are placed in the build.

        Bytecode is not checked against its source when it is imported, so a source never gets into the build before the
        bytecode of the one before it is gone, nor while its own is being made.
        """
        with self._syncing:
            sources = self.packaging.sources(self.sources)
            changed = [path for path in sorted(sources) if _differs(sources[path], self.build / path)]
            for path in changed:
                _copy(sources[path], self.build / path)
            gone = sorted(self._known - sources.keys())
            for path in gone:
                _remove_bytecode(self.build / path)
                (self.build / path).unlink(missing_ok=True)
            compile_sources(self.build, [path for path in changed if path.suffix == ".py"], self.interpreter)
            self._known = set(sources)
            return changed + gone

    @property
    def watched(self) -> list[Path]:
        """The folders whose files are in the build."""
        return [self.sources, *self.packaging.shared_packages(self.sources)]


def _differs(source: Path, built: Path) -> bool:
    if not built.exists():
        return True
    wanted, present = source.stat(), built.stat()
    return (wanted.st_mtime_ns, wanted.st_size) != (present.st_mtime_ns, present.st_size)


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished = destination.with_name(f".{destination.name}.new")
    stat = source.stat()  # before its content: a save in between is another change
    shutil.copyfile(source, unfinished)
    shutil.copymode(source, unfinished)
    os.utime(unfinished, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    _remove_bytecode(destination)
    unfinished.replace(destination)


def _remove_bytecode(source: Path) -> None:
    if source.suffix != ".py":
        return
    for bytecode in (source.parent / "__pycache__").glob(f"{glob.escape(source.stem)}.*.pyc"):
        bytecode.unlink(missing_ok=True)


class SourceSync:
    """Watches the sources of every function from `__enter__` to `__exit__`.

    `failure` says why changes are not noticed and what helps, "" while they are.
    """

    def __init__(self, functions: Sequence[BuiltFunction]) -> None:
        self._handlers = [_Debounced(function) for function in functions]
        self._observer: BaseObserver = Observer()
        self.failure = ""

    def __enter__(self) -> Self:
        for handler in self._handlers:
            handler.function.sync()
            for folder in handler.folders:
                self._observer.schedule(handler, str(folder), recursive=True)  # type: ignore[no-untyped-call]
        try:
            self._observer.start()  # type: ignore[no-untyped-call]
        except OSError as error:
            self.failure = unnoticed_changes(error)
            self._observer.unschedule_all()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *_: object) -> None:
        if not self.failure:
            self._observer.stop()  # type: ignore[no-untyped-call]
            self._observer.join()
        for handler in self._handlers:
            handler.stop()


class _Debounced(FileSystemEventHandler):
    def __init__(self, function: BuiltFunction) -> None:
        self.function = function
        self.folders = function.watched
        self._timer: threading.Timer | None = None

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write") or not self._concerns(event):
            return
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(SETTLE_SECONDS, self._sync)
        self._timer.daemon = True
        self._timer.start()

    def _concerns(self, event: FileSystemEvent) -> bool:
        """Tell whether a file that changed can be one of the package: a build may lie below the sources."""
        paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        for path in paths:
            folder = next((each for each in self.folders if path.is_relative_to(each)), path)
            if self.function.packaging.includes(path.relative_to(folder)):
                return True
        return False

    def stop(self) -> None:
        """Copy nothing any more; return when what is being copied is."""
        if self._timer:
            self._timer.cancel()
            self._timer.join()

    def _sync(self) -> None:
        try:
            changed = self.function.sync()
        except OSError as error:  # a file that vanished between its event and its copy has an event of its own
            log.warning("%s could not be copied into the build: %s", error.filename, error.strerror)
            return
        if changed:
            log.info("Changed: %s", ", ".join(map(str, changed)))
