"""The folder of a living engine stays; that of a killed one goes, and nobody else's."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from emulator.engine import temporary_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def of_an_ended_process(temporary: Path) -> Path:
    made = subprocess.run(
        [sys.executable, "-c", "from emulator.engine import temporary_folder; print(temporary_folder.make())"],
        env={"TMPDIR": str(temporary), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(made.stdout.strip())


def test_what_a_killed_engine_left_is_removed(temporary: Path) -> None:
    own, left = temporary_folder.make(), of_an_ended_process(temporary)
    (left / "layers").mkdir()
    temporary_folder.remove_abandoned()
    assert own.is_dir()
    assert not left.exists()


@pytest.mark.parametrize("name", ["lambda-engine-notes", "lambda-engine--", "other-1-2"])
def test_what_is_no_engines_stays(temporary: Path, name: str) -> None:
    (temporary / name).mkdir()
    temporary_folder.remove_abandoned()
    assert (temporary / name).is_dir()


def test_the_folder_of_a_process_that_has_the_same_number_again_is_removed(temporary: Path) -> None:
    own = temporary_folder.make()
    another = temporary / own.name.replace(own.name.split("-")[3], "0" * 8)
    another.mkdir()
    temporary_folder.remove_abandoned()
    assert own.is_dir()
    assert not another.exists()
