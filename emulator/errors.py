"""The errors that the command line shows as a sentence."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG)


class EmulatorError(Exception):
    """Something a person can mend. The message is one sentence that says what is wrong and what to do."""


def sentence_of(error: OSError, state: Path) -> str | None:
    """Return the sentence for an error of the file system, None when it is no such error.

    `state` is the folder that EMULATOR_STATE names.
    """
    reason = error.strerror or str(error)
    if "inotify" in reason:  # watchdog's words for ENOSPC and EMFILE
        return f"Sources cannot be watched ({reason}): `sysctl fs.inotify.max_user_watches=524288` raises the limit."
    if error.errno in _FULL:
        where = error.filename or f"{state} or {tempfile.gettempdir()}"
        return f"There is no space left for {where} ({reason}): free some, or {_elsewhere(error.filename, state)}."
    if error.errno in _CLOSED and error.filename:
        return (
            f"{error.filename} cannot be written ({reason}): make its folder writable, or "
            f"{_elsewhere(error.filename, state)}."
        )
    return None


def _elsewhere(path: str | None, state: Path) -> str:
    if path and not Path(path).is_relative_to(state) and Path(path).is_relative_to(tempfile.gettempdir()):
        return "name another folder for temporary files in TMPDIR"
    return "name another folder in EMULATOR_STATE"
