"""One emulator for each state folder: the lock that says whose the folder and its sockets are.

The lock is an flock(2), which the system lets go when its process ends, by any signal: nothing stale can be left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Self

from emulator.errors import EmulatorError
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import SOCKETS_PREFIX, StatePaths

_OWNER = "state-folder"
"""The link in a folder of sockets that leads to the state folder it belongs to."""


class StateLock:
    """The right to be the emulator of a state folder, held until `release` or the end of the process."""

    def __init__(self, paths: StatePaths, descriptor: int) -> None:
        """Take over `descriptor`, on which another process locked the folder of `paths` for this one."""
        self._paths = paths
        self.descriptor = descriptor
        os.set_inheritable(descriptor, False)
        self.owner = self.hand_over(os.getpid())

    @classmethod
    def take(cls, paths: StatePaths) -> StateLock | None:
        """Lock the folder of `paths`, making it when it is missing; return None when another process has it."""
        paths.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _locked(paths.lock, os.O_CREAT)
        return None if descriptor is None else cls(paths, descriptor)

    def hand_over(self, pid: int) -> ProcessIdentity:
        """Tell others that the lock is held for process `pid`, which has the descriptor, too. Return its identity."""
        owner = ProcessIdentity.of(pid)
        if owner is None:
            raise EmulatorError(f"The emulator (process {pid}) ended while it started.")
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(asdict(owner)).encode(), 0)
        return owner

    def release(self) -> None:
        """Let others have the folder."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        """Remove what killed emulators left, make the folder of the sockets."""
        self._paths.forget_running()
        for file in (self._paths.sam_environment, self._paths.ministack_log, self._paths.valkey_log):
            file.unlink(missing_ok=True)  # whoever may read what is there may read what is written into it
        shutil.rmtree(self._paths.sockets, ignore_errors=True)
        _sweep()
        try:
            self._paths.sockets.mkdir(mode=0o700, parents=True)
            (self._paths.sockets / _OWNER).symlink_to(self._paths.folder)
        except OSError as error:
            raise EmulatorError(
                f"The folder of the sockets, {self._paths.sockets}, cannot be made ({error.strerror}): remove what is "
                "there, or name another folder for temporary files in TMPDIR."
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the sockets, let others have the folder."""
        shutil.rmtree(self._paths.sockets, ignore_errors=True)
        self.release()


def holder(paths: StatePaths) -> ProcessIdentity | None:
    """Return the process that holds the lock of `paths`, None when none does."""
    try:
        with paths.lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                identity = ProcessIdentity(**json.loads(file.read()))
                return identity if identity.is_running() else None
    except (OSError, ValueError, TypeError):
        pass
    return None


def _locked(file: Path, flags: int = 0) -> int | None:
    """Return a descriptor that holds the lock of `file`, None when another has it. Raises OSError."""
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def _sweep() -> None:
    """Remove the sockets of emulators that were killed, whatever their state folder."""
    for sockets in Path(tempfile.gettempdir()).glob(f"{SOCKETS_PREFIX}-{os.getuid()}-*"):
        with contextlib.suppress(OSError):
            if sockets.lstat().st_uid != os.getuid():
                continue
            lock = StatePaths((sockets / _OWNER).readlink()).lock
            descriptor = _locked(lock) if lock.exists() else None
            if descriptor is not None or not lock.exists():
                shutil.rmtree(sockets, ignore_errors=True)
            if descriptor is not None:
                os.close(descriptor)
