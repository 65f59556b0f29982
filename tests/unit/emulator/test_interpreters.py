"""An interpreter is believed when it was run: exact first, else the nearest supported one."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from emulator import interpreters
from emulator.interpreters import InterpreterNotFoundError, find_interpreter

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one empty folder on PATH, no pyenv and no uv; what runs this test is not on it."""
    monkeypatch.setattr(interpreters, "_own", lambda _: None)
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


def test_the_interpreter_that_runs_this_is_taken_without_running_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(tmp_path, f"python{THIS}", answering(THIS))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_interpreter(f"python{THIS}")
    assert (found.version, found.exact) == (THIS, True)
    asked = [str(found.path), "-I", "-c", "import sys; print(sys.prefix == sys.base_prefix, *sys.version_info[:2])"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert answer.split() == ["True", *THIS.split(".")]  # it is no virtual environment's


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


def test_a_virtual_environments_python_stands_for_the_one_it_was_made_of(machine: Path, tmp_path: Path) -> None:
    # `make` has the .venv of the repository on PATH; functions run on what it was made of, without its packages.
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    install(machine, f"python{THIS}", f'exec {tmp_path}/venv/bin/python "$@"')
    found = find_interpreter(f"python{THIS}").path
    assert tmp_path not in found.parents
    assert found.resolve() == Path(sys.executable).resolve()
