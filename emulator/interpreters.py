"""Find the Python interpreter that a Lambda runtime names, or the nearest supported one.

Looked for, in this order: the one that runs this, PATH (`python3.13`, then `python3` if it is that version),
pyenv's versions, uv's managed interpreters. Each of the others is run before it is believed: a pyenv shim exists for
versions that are not selected, and then fails.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SUPPORTED_VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""The Python versions for which `awslambdaric` has wheels."""

_PROBE = "import sys; print('%d.%d' % sys.version_info[:2], getattr(sys, '_base_executable', None) or sys.executable)"
_PROBE_SECONDS = 10


class InterpreterNotFoundError(Exception):
    """No supported interpreter is on this machine; the message says what to install."""


class Interpreter(NamedTuple):
    """An interpreter that was run and answered.

    `path` is the real executable, never a shim or that of a virtual environment. `version` is `major.minor`. `exact`
    tells whether it is the version that was asked for.
    """

    path: Path
    version: str
    exact: bool

    @property
    def runtime(self) -> str:
        """Return the Lambda runtime that this interpreter serves, for example `python3.13`."""
        return f"python{self.version}"


def find_interpreter(runtime: str) -> Interpreter:
    """Return the interpreter for `runtime` (`python3.13`), or else for the nearest supported version.

    Raises `InterpreterNotFoundError` when the machine has none of `SUPPORTED_VERSIONS`.
    """
    wanted = runtime.removeprefix("python")
    for version in sorted(SUPPORTED_VERSIONS, key=lambda candidate: _distance(candidate, wanted)):
        own = _own(version)
        if own is not None:
            return Interpreter(own, version, exact=version == wanted)
        for path in _candidates(version):
            executable = _probe(path, version)
            if executable:
                return Interpreter(executable, version, exact=version == wanted)
    raise InterpreterNotFoundError(
        f"No Python {SUPPORTED_VERSIONS[0]} to {SUPPORTED_VERSIONS[-1]} answers on this machine: "
        f"install Python {wanted}, for example with `uv python install {wanted}`."
    )


def host_architecture() -> str:
    """Return this machine's architecture as Lambda names it: arm64 or x86_64."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def _distance(version: str, wanted: str) -> tuple[int, int]:
    minor, wanted_minor = int(version.split(".")[1]), int(re.sub(r"^\d+\.", "", wanted))
    return abs(minor - wanted_minor), -minor


def _own(version: str) -> Path | None:
    """Return the interpreter of this process, not that of its virtual environment, if it is of that version.

    To run others takes a tenth of a second each, and more where pyenv's shims come first.
    """
    if version != f"{sys.version_info.major}.{sys.version_info.minor}":
        return None
    path = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    return path if os.access(path, os.X_OK) else None


def _candidates(version: str) -> Iterator[Path]:
    for name in (f"python{version}", "python3"):
        for folder in os.get_exec_path():
            if found := shutil.which(name, path=folder):
                yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    yield from _known_to_uv(version)


def _known_to_uv(version: str) -> Iterator[Path]:
    uv = shutil.which("uv")
    if uv is None:
        return
    found = subprocess.run(
        [uv, "python", "find", "--no-cache", "--no-project", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _probe(path: Path, version: str) -> Path | None:
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found, _, executable = answer.stdout.strip().partition(" ")
    return Path(executable) if found == version else None
