"""The folder in which an engine has what its environments need while they run; those of killed engines are removed.

Its name says whose it is: the process and when that started, for a system gives the numbers of processes again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from emulator.processes.process_identity import ProcessIdentity

_PREFIX = "lambda-engine-"


def make() -> Path:
    """Return a new folder of this process."""
    return Path(tempfile.mkdtemp(prefix=_prefix(ProcessIdentity.current()))).resolve()


def remove_abandoned() -> None:
    """Remove the folders of this user's engines that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if not pid.isdigit() or folder.stat().st_uid != os.getuid():
                continue
            owner = ProcessIdentity.of(int(pid))
            if owner is None or not folder.name.startswith(_prefix(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _prefix(owner: ProcessIdentity) -> str:
    return f"{_PREFIX}{owner.pid}-{hashlib.sha256(owner.started.encode()).hexdigest()[:8]}-"
