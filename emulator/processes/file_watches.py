"""What a person can do when the system lets no more files be watched."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_LIMITS: Final = {errno.ENOSPC: ("max_user_watches", 524_288), errno.EMFILE: ("max_user_instances", 1_024)}
"""The limit that each error of inotify(7) means, in /proc/sys/fs/inotify, and a number that is enough for most."""
_LIMIT_FOLDER: Final = Path("/proc/sys/fs/inotify")


def unnoticed_changes(error: OSError) -> str:
    """Return the sentence for `error`, which the watch on a function's code ended with."""
    consequence = "Changed code is not noticed: start again after each change"
    if error.errno == errno.EMFILE and not _can_open_files():
        return f"{consequence}, or let this process open more files (`ulimit -n 4096`)."
    if error.errno not in _LIMITS:
        return f"{consequence}. Its folder cannot be watched ({error.strerror or error})."
    name, enough = _LIMITS[error.errno]
    wanted = max(enough, 2 * _limit(name))
    return f"{consequence}, or raise the limit that is used up with `sudo sysctl fs.inotify.{name}={wanted}`."


def _can_open_files() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    return True


def _limit(name: str) -> int:
    try:
        return int((_LIMIT_FOLDER / name).read_text())
    except (OSError, ValueError):
        return 0
