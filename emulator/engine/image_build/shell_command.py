"""`RUN` of any shell line: in a mount namespace whose root is the image's folder, with this machine's programs.

The image has no programs of its own, so /usr, /bin, /lib and /etc are this machine's, read-only, and so is the
interpreter. What the line writes elsewhere is written into the image. Linux alone has mount namespaces; a system may
refuse them to its users.

Source: unshare(1), mount(8) and chroot(8) of util-linux and coreutils; user_namespaces(7).
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from emulator.engine.image_build.image_root import ImageRoot
from emulator.engine.image_build.pip_command import pip_package, site_packages
from emulator.interpreters import Interpreter

_OF_THE_MACHINE = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")
_KERNELS = ("/dev", "/proc")
_PROBE_SECONDS = 10
_LAMBDA_PROGRAMS = "/var/lang/bin"
_PIP = "/var/lang/pip"
_SCRIPT = """
root=$1 folder=$2 line=$3
shift 3
while [ "$1" != -- ]; do mount -o bind,ro "$1" "$root$2"; shift 2; done
shift
for kernel; do mount --rbind "$kernel" "$root$kernel"; done
exec chroot "$root" /bin/sh -c 'cd "$0" && exec /bin/sh -c "$1"' "$folder" "$line"
"""
SEARCH_PATH = f"{_LAMBDA_PROGRAMS}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@functools.cache
def is_possible() -> bool:
    """Tell whether this machine lets this user have a mount namespace, and bind folders read-only in it."""
    if sys.platform != "linux":
        return False
    probe = [*_namespace(), "sh", "-c", "mount -o bind,ro /usr /usr"]
    try:
        return subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextlib.contextmanager
def prepared(line: str, interpreter: Interpreter, root: ImageRoot, folder: str) -> Iterator[list[str]]:
    """Yield the command that runs the shell `line` in the image's `folder`; what it needs is there during the block."""
    prefix = interpreter.path.parent.parent
    binds = {each: each for each in _OF_THE_MACHINE if Path(each).is_dir()}
    if not prefix.is_relative_to("/usr"):
        binds[str(prefix)] = str(prefix)
    binds[str(pip_package())] = f"{_PIP}/pip"
    kernels = [each for each in _KERNELS if Path(each).is_dir()]
    made = [path for place in (*binds.values(), *kernels) for path in _make(root, place)]
    programs = _programs(interpreter, root)
    arguments = [text for pair in binds.items() for text in pair]
    try:
        yield [*_namespace(), "sh", "-euc", _SCRIPT, "sh", str(root.folder), folder, line, *arguments, "--", *kernels]
    finally:
        for program in programs:
            program.unlink(missing_ok=True)
        for path in reversed(made):
            with contextlib.suppress(OSError):  # the line has put something there
                path.rmdir()


def variables(runtime: str) -> dict[str, str]:
    """Return what the environment of such a line has of its own: pip puts packages where the image has them."""
    return {"PATH": SEARCH_PATH, "HOME": "/root", "TMPDIR": "/tmp", "PIP_TARGET": site_packages(runtime)}  # noqa: S108


def _namespace() -> Sequence[str]:
    users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return [shutil.which("unshare") or "unshare", *users, "--mount", "--propagation", "private"]


def _make(root: ImageRoot, place: str) -> list[Path]:
    """Make a folder in the image and those above it; return the ones that were not there."""
    path = root.place(place)
    missing: list[Path] = []
    for each in (path, *path.parents):
        if each.exists():
            break
        missing.insert(0, each)
    path.mkdir(parents=True, exist_ok=True)
    return missing


def _programs(interpreter: Interpreter, root: ImageRoot) -> list[Path]:
    """Put the interpreter and pip where the base image has them."""
    folder = root.place(_LAMBDA_PROGRAMS)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for version in ("", "3", interpreter.version):
        python, pip = folder / f"python{version}", folder / f"pip{version}"
        if not os.path.lexists(python):
            python.symlink_to(interpreter.path)
            made.append(python)
        if not os.path.lexists(pip):
            pip.write_text(f'#!/bin/sh\nexec {interpreter.path} -I {_PIP}/pip/__pip-runner__.py "$@"\n')
            pip.chmod(0o755)
            made.append(pip)
    return made
