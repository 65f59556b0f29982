"""One build at a time, which ends with the process that wanted it. The builds here are shell scripts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sam_template.repository import REPOSITORY

SCRIPT = """
import sys
from pathlib import Path
from tools.build import build
sys.exit(build(["sh", "-c", sys.argv[1]], Path("mark"), [Path("source")]))
"""
SECONDS = 20


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / ".local").mkdir()
    (tmp_path / "source").touch()
    return tmp_path


def start(checkout: Path, script: str, *parent: str) -> subprocess.Popen[str]:
    """Start a build that runs `script`, as a child of the command `parent`."""
    return subprocess.Popen(
        [*parent, sys.executable, "-c", SCRIPT, script],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status_of(build: subprocess.Popen[str]) -> int:
    build.communicate(timeout=SECONDS)
    return build.returncode


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + SECONDS
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < deadline, f"there is no {file.name}"
        time.sleep(0.05)
    return file.read_text()


def test_two_that_find_the_build_stale_build_once(checkout: Path) -> None:
    both = [start(checkout, "echo built >>runs; sleep 1") for _ in range(2)]

    said = [process.communicate(timeout=SECONDS)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert (checkout / "runs").read_text() == "built\n"
    assert sum("Building" in text for text in said) == 1


def test_a_source_that_changed_is_built_again(checkout: Path) -> None:
    assert status_of(start(checkout, "echo built >>runs")) == 0
    later = time.time() + 5
    os.utime(checkout / "source", (later, later))

    assert status_of(start(checkout, "echo built >>runs")) == 0

    assert (checkout / "runs").read_text() == "built\n" * 2


def test_a_build_that_fails_says_why_and_is_stale(checkout: Path) -> None:
    (checkout / "mark").touch()
    os.utime(checkout / "mark", (0, 0))
    failed = start(checkout, "echo no index; exit 3")

    _, errors = failed.communicate(timeout=SECONDS)

    assert failed.returncode == 3
    assert "no index" in errors
    assert not (checkout / "mark").exists()


def test_a_build_ends_with_the_process_that_wanted_it(checkout: Path) -> None:
    # `; true` keeps the shell from making room for the build, as make does.
    parent = start(checkout, "echo $$ >build; sleep 60 & echo $! >child; wait", "sh", "-c", '"$@"; true', "sh")
    pids = [int(wait_for(checkout / name)) for name in ("build", "child")]

    parent.send_signal(signal.SIGKILL)
    parent.communicate(timeout=SECONDS)

    assert status_of(start(checkout, "echo built >runs")) == 0, "the next build finds the folder free"
    assert (checkout / "runs").read_text() == "built\n"
    assert not any(is_running(pid) for pid in pids)


def is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")
