"""An interpreter is believed when it was run: exact first, else the nearest supported one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools import interpreters
from tools.interpreters import InterpreterNotFoundError, find_interpreter

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one empty folder on PATH, no pyenv and no uv."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return folder


def install(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def answering(version: str, executable: str = "/opt/python") -> str:
    return f"echo {version} {executable}"


def test_the_interpreter_of_the_runtime_is_found_on_path(machine: Path) -> None:
    install(machine, f"python{THIS}", f'exec {sys.executable} "$@"')
    found = find_interpreter(f"python{THIS}")
    assert found.exact
    assert found.version == THIS
    assert os.access(found.path, os.X_OK)


def test_a_shim_that_fails_is_passed_over(machine: Path, tmp_path: Path) -> None:
    # GIVEN pyenv's shim for a version that is not selected, and the version itself
    install(machine, "python3.13", "echo 'pyenv: version 3.13 is not installed' >&2; exit 127")
    install(tmp_path / "pyenv/versions/3.13.2/bin", "python3.13", answering("3.13", "/pyenv/python3.13"))
    assert find_interpreter("python3.13").path == Path("/pyenv/python3.13")


def test_a_name_that_lies_is_not_believed(machine: Path) -> None:
    install(machine, "python3.13", answering("3.9"))
    install(machine, "python3", answering("3.12", "/usr/bin/python3.12"))
    found = find_interpreter("python3.13")
    assert (found.version, found.exact) == ("3.12", False)


@pytest.mark.parametrize(
    ("wanted", "installed", "nearest"),
    [
        ("python3.13", ["3.11", "3.12"], "3.12"),
        ("python3.12", ["3.11", "3.13"], "3.13"),
        ("python3.11", ["3.13", "3.14"], "3.13"),
        ("python3.14", ["3.11", "3.13"], "3.13"),
    ],
)
def test_else_the_nearest_supported_one_serves(wanted: str, installed: list[str], nearest: str, machine: Path) -> None:
    for version in installed:
        install(machine, f"python{version}", answering(version))
    found = find_interpreter(wanted)
    assert found.version == nearest
    assert found.runtime == f"python{nearest}"
    assert not found.exact


def test_without_any_the_remedy_is_said(machine: Path) -> None:
    install(machine, "python3", answering("3.9"))
    with pytest.raises(InterpreterNotFoundError, match=r"install Python 3\.13"):
        find_interpreter("python3.13")


def test_an_interpreter_that_hangs_is_passed_over(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters, "_PROBE_SECONDS", 0.1)
    install(machine, "python3.13", "exec /bin/sleep 5")
    install(machine, "python3.12", answering("3.12"))
    assert find_interpreter("python3.13").version == "3.12"
