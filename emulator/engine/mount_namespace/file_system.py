"""What a function sees of the file system: this machine's, with the places that Lambda has over it.

Source: AWS Lambda Developer Guide, "Working with layers for Python Lambda functions" (/opt), "Configure ephemeral
storage for Lambda functions" (/tmp); the AWS base images for Python (/var/task, /var/runtime).

Imported by the launcher: nothing but the standard library, and `os` instead of pathlib, between a fork and an exec.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.engine.mount_namespace import libc

TASK_ROOT = "/var/task"
RUNTIME_DIR = "/var/runtime"
RAPID_DIR = "/var/rapid"
LAYERS_DIR = "/opt"
TEMP_DIR = "/tmp"  # noqa: S108
HIDDEN = (TASK_ROOT, RUNTIME_DIR, RAPID_DIR, LAYERS_DIR, TEMP_DIR)
"""Where nothing of this machine's is seen, unless a bind shows it."""

_MIRRORED = ("/", "/var")
"""The folders in which places are made: their other entries are shown one by one."""
_HOSTS = "/etc/hosts"
_RESOLV_CONF = "/etc/resolv.conf"
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Bind:
    """`source` of this machine, read-only at `target`. Without it there is no environment, unless it is `optional`."""

    source: str
    target: str
    optional: bool = False


@dataclass(frozen=True)
class FileSystem:
    """The places of one environment.

    `binds` are made in order. /tmp is empty and takes `temp_mebibytes`. `hosts` are lines before those of /etc/hosts.
    With `nameservers` /etc/resolv.conf names these alone.
    """

    binds: tuple[Bind, ...] = ()
    temp_mebibytes: int = 512
    hosts: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: dict[str, object]) -> FileSystem:
        """Return the file system of which `values` are `dataclasses.asdict`, as JSON keeps them."""
        given: dict[str, Sequence[object]] = values  # type: ignore[assignment]
        binds = tuple(Bind(**each) for each in given["binds"])  # type: ignore[arg-type]
        hosts, nameservers = (tuple(map(str, given[name])) for name in ("hosts", "nameservers"))
        return cls(binds, int(str(given["temp_mebibytes"])), hosts, nameservers)


def become_user_namespace() -> None:
    """Get the right to mount, as who this process is already: it must have one thread. Raises `OSError`."""
    user, group = os.geteuid(), os.getegid()
    libc.unshare(libc.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def enter(file_system: FileSystem) -> None:
    """Give this process, and those that it starts, `file_system`. Nothing is written on this machine's own.

    The mounts end with the last process that sees them. Raises `OSError` with the place that cannot be made.
    """
    libc.unshare(libc.CLONE_NEWNS)
    libc.receive_mounts()
    sources: list[tuple[Bind, int]] = []
    for bind in file_system.binds:  # opened before anything hides them
        with contextlib.suppress(OSError) if bind.optional else contextlib.nullcontext():
            sources.append((bind, os.open(bind.source, os.O_PATH | os.O_CLOEXEC)))
    # Any folder does for the new root; nobody else sees what it hides.
    libc.mount_tmpfs(TEMP_DIR, "mode=755")
    for folder in _MIRRORED:
        _mirror(folder, TEMP_DIR)
    os.chdir(TEMP_DIR)
    libc.pivot_root_here()
    _make_places(file_system, sources)
    libc.detach_old_root()
    os.chdir("/")


def _mirror(folder: str, root: str) -> None:
    """Show the entries of `folder` below `root`, except those that are hidden or have been mirrored themselves."""
    with os.scandir(folder) as entries:
        for entry in entries:
            target = f"{root}{entry.path}"
            if entry.path in HIDDEN:
                continue
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), target)
            elif entry.path in _MIRRORED:
                os.mkdir(target)
            else:
                if entry.is_dir():
                    os.mkdir(target)
                else:
                    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
                with contextlib.suppress(OSError):  # gone since, or a mount that nobody may show
                    libc.bind(entry.path, target)


def _make_places(file_system: FileSystem, sources: list[tuple[Bind, int]]) -> None:
    for place in HIDDEN:
        os.makedirs(place, exist_ok=True)
    libc.mount_tmpfs(TEMP_DIR, f"mode=1777,size={file_system.temp_mebibytes * _MEBIBYTE}")
    for bind, descriptor in sources:
        with contextlib.suppress(OSError) if bind.optional else contextlib.nullcontext():
            _make_mount_point(bind.target, is_folder=stat.S_ISDIR(os.fstat(descriptor).st_mode))
            libc.bind(f"/proc/self/fd/{descriptor}", bind.target)
            libc.make_read_only(bind.target)
    if file_system.hosts:
        # Before this machine's own: of two lines for a name the first counts.
        _put_over(_HOSTS, "".join(f"{line}\n" for line in file_system.hosts) + _text_of(_HOSTS))
    if file_system.nameservers:
        _put_over(_RESOLV_CONF, "".join(f"nameserver {address}\n" for address in file_system.nameservers))
    libc.make_read_only("/")


def _make_mount_point(path: str, *, is_folder: bool) -> None:
    """Make sure that `path` is there. Raises `OSError` where that would leave something on this machine."""
    if os.path.exists(path):
        return
    above = os.path.dirname(path)
    if not os.path.exists(above):
        _make_mount_point(above, is_folder=True)
    if os.stat(above).st_dev not in _own_devices():
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
    if is_folder:
        os.mkdir(path)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


def _own_devices() -> tuple[int, int]:
    return os.stat("/").st_dev, os.stat(TEMP_DIR).st_dev


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _put_over(path: str, text: str) -> None:
    """Show `text` at `path`, if this machine has such a file."""
    own = f"{RAPID_DIR}/{os.path.basename(path)}"
    with open(own, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    with contextlib.suppress(OSError):
        libc.bind(own, path)
