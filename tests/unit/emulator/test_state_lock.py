"""A state folder belongs to one emulator, until that ends in whatever way; the next clears what it left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import StatePaths
from emulator.state_lock import StateLock, holder

HOLD = """
import sys, time
from pathlib import Path
from emulator.project.paths import StatePaths
from emulator.state_lock import StateLock
with StateLock.take(StatePaths(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths(tmp_path / "run")


@pytest.fixture
def other(paths: StatePaths) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(paths.folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def taken(paths: StatePaths) -> StateLock:
    lock = StateLock.take(paths)
    assert lock is not None
    return lock


def test_a_second_emulator_does_not_get_the_folder_and_leaves_the_sockets_alone(
    paths: StatePaths, other: subprocess.Popen[str]
) -> None:
    assert StateLock.take(paths) is None
    assert paths.sockets.is_dir()
    assert holder(paths) == ProcessIdentity.of(other.pid)


def test_a_killed_emulator_lets_go_at_once_and_the_next_clears_its_sockets(
    paths: StatePaths, other: subprocess.Popen[str]
) -> None:
    (paths.sockets / "control.sock").touch()
    os.kill(other.pid, signal.SIGKILL)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie holds nothing
    assert holder(paths) is None
    with taken(paths):
        assert [path.name for path in paths.sockets.iterdir()] == ["state-folder"]


def test_nothing_holds_a_folder_that_was_let_go(paths: StatePaths) -> None:
    assert holder(paths) is None
    with taken(paths):
        assert holder(paths) == ProcessIdentity.of(os.getpid())
    assert holder(paths) is None
    assert not paths.sockets.exists()


def test_the_sockets_of_other_killed_emulators_are_removed_and_those_of_living_ones_stay(
    paths: StatePaths, other: subprocess.Popen[str], tmp_path: Path
) -> None:
    killed = StatePaths(tmp_path / "killed")
    taken(killed).__enter__().release()  # what a kill leaves: sockets, and no lock
    assert killed.sockets.is_dir()
    with taken(StatePaths(tmp_path / "next")):
        assert not killed.sockets.exists()
        assert paths.sockets.is_dir()


def test_sockets_that_cannot_be_made_are_a_sentence_with_the_remedy(paths: StatePaths) -> None:
    paths.sockets.write_text("in the way")
    with pytest.raises(EmulatorError, match=r"cannot be made \(File exists\): remove what is there, or name .* TMPDIR"):
        taken(paths).__enter__()
