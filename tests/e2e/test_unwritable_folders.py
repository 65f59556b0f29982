"""A folder that cannot be written, or is full, is a sentence with the remedy; nobody's home is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.processes.ports import free_port
from sam_template.repository import REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.processes import assert_no_process_names

MOUNTED = 'mount -t tmpfs -o "size=$SIZE" tmpfs "$FOLDER" && mount -o "remount,$MODE" "$FOLDER" && exec "$@"'
COMMANDS = [
    ("start", "--port", str(free_port())),
    ("up",),
    ("invoke", "InventoryFunction", "events/inventory/root.json"),
]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    shell = {name: value for name, value in os.environ.items() if name not in NAME_OTHER_BACKING_SERVICES}

    def run(*arguments: str, within: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**shell, "EMULATOR_STATE": str(tmp_path / "run"), **variables}
        return subprocess.run(
            [*within, sys.executable, "-m", "emulator", *arguments],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def mounted(tmp_path: Path, run: Run) -> Run:
    """Run a command that sees a folder of its own, of some size, and read-only or not."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    within = ("unshare", "--mount", "sh", "-c", MOUNTED, "sh")
    settings = {"FOLDER": str(folder), "SIZE": "1m", "MODE": "rw"}
    probe = subprocess.run([*within, "true"], env=os.environ | settings, capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mount namespace can be had here: {probe.stderr.strip()}")

    def run_mounted(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, within=within, **{**settings, **variables})

    return run_mounted


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command failed with."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize(
    ("folder", "reason"), [("/dev/null/run", "Not a directory"), ("/" + "x" * 300, "File name too long")]
)
def test_a_state_folder_that_cannot_be_made_is_said(
    arguments: tuple[str, ...], folder: str, reason: str, run: Run
) -> None:
    said = refusal(run(*arguments, EMULATOR_STATE=folder))
    assert f"{folder} cannot be written ({reason}): " in said
    assert said.endswith("or name another folder in EMULATOR_STATE.")


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_a_read_only_state_folder_is_said(arguments: tuple[str, ...], mounted: Run, tmp_path: Path) -> None:
    said = refusal(mounted(*arguments, MODE="ro", EMULATOR_STATE=str(tmp_path / "mounted/run")))
    assert f"{tmp_path}/mounted/run cannot be written (Read-only file system): " in said


@pytest.mark.parametrize(
    ("arguments", "size"),
    [(COMMANDS[0], "4k"), (COMMANDS[0], "64k"), (COMMANDS[0], "8m"), (COMMANDS[1], "64k")],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_full_state_folder_is_said(arguments: tuple[str, ...], size: str, mounted: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mounted/run"
    done = mounted(*arguments, SIZE=size, EMULATOR_STATE=str(folder))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"There is no space left for {folder}" in done.stderr
    assert "name another folder in EMULATOR_STATE." in done.stderr
    assert_no_process_names(str(folder))


def test_no_home_is_needed(run: Run) -> None:
    done = run("invoke", "InventoryFunction", "events/inventory/root.json", HOME="/nowhere/to/be/found")
    assert done.returncode == 0, done.stderr
    assert '"statusCode": 200' in done.stdout
    assert not Path("/nowhere").exists()
