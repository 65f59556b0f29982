"""The system calls of a mount namespace, by way of libc: mount(2), unshare(2), pivot_root(2), umount2(2).

Each raises `OSError` with the reason and the path.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Final

CLONE_NEWNS: Final = 0x20000
CLONE_NEWUSER: Final = 0x10000000
MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_REMOUNT: Final = 32
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_SLAVE: Final = 1 << 19
_MS_RELATIME: Final = 1 << 21
_MNT_DETACH: Final = 2
_ST_RELATIME: Final = 4096
_SAME_IN_STATVFS: Final = MS_NOSUID | MS_NODEV | 8 | 1024 | 2048
"""nosuid, nodev, noexec, noatime, nodiratime: the same numbers for mount(2) and statvfs(3)."""

_LIBC: Any = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name for new ones."""
    _check(_LIBC.unshare(ctypes.c_int(flags)), "unshare")


def mount_tmpfs(target: str, options: str) -> None:
    """Mount an empty tmpfs(5)."""
    _mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def bind(source: str, target: str) -> None:
    """Show the file or folder `source`, with what is mounted below it, at `target`."""
    _mount(source, target, None, MS_BIND | MS_REC, None)


def receive_mounts() -> None:
    """See what is mounted and unmounted outside from now on, and show nothing of one's own there."""
    _mount("none", "/", None, MS_REC | MS_SLAVE, None)


def make_read_only(target: str) -> None:
    """Refuse to write below the mount point `target`."""
    # A user namespace may not take away what a mount forbids already: the flags are repeated.
    present = os.statvfs(target).f_flag
    flags = present & _SAME_IN_STATVFS
    if present & _ST_RELATIME:
        flags |= _MS_RELATIME
    _mount("none", target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, None)


def pivot_root_here() -> None:
    """Make the working directory, a mount point, the root. The old root stays below it until `detach_old_root`."""
    _check(_LIBC.pivot_root(b".", b"."), "pivot_root")


def detach_old_root() -> None:
    """Let go of the old root (pivot_root(2), "pivot_root(".", ".")")."""
    _check(_LIBC.umount2(b".", ctypes.c_int(_MNT_DETACH)), "umount")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _check(_LIBC.mount(*encoded[:3], ctypes.c_ulong(flags), encoded[3]), target)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
