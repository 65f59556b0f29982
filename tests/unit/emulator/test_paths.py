"""What commands of one checkout tell each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.paths import INSTALLED, STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths


@pytest.fixture
def running() -> RunningEmulator:
    return RunningEmulator(os.getpid(), "http://127.0.0.1:4566", "unix:///engine.sock", "/control.sock")


def test_a_checkout_has_a_home_of_its_own_and_the_environment_may_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(STATE_FOLDER_VARIABLE, raising=False)
    assert StatePaths.current().folder == INSTALLED / "run"
    monkeypatch.setenv(STATE_FOLDER_VARIABLE, str(tmp_path))
    assert StatePaths.current().folder == tmp_path


def test_sockets_have_short_names_that_no_two_homes_share(tmp_path: Path) -> None:
    deep = StatePaths(tmp_path.joinpath(*["a-long-folder-name"] * 10))
    assert len(str(deep.engine_socket)) < 104
    assert deep.sockets != StatePaths(tmp_path).sockets


def test_what_runs_is_known_until_it_is_forgotten(tmp_path: Path, running: RunningEmulator) -> None:
    paths = StatePaths(tmp_path / "run")
    assert paths.running() is None
    paths.write_running(running)
    assert paths.running() == running
    paths.forget_running()
    assert paths.running() is None


@pytest.mark.parametrize("state", ["", "{", "[]", '{"pid": 1}'])
def test_a_state_that_cannot_be_read_means_that_nothing_runs(state: str, tmp_path: Path) -> None:
    (tmp_path / "emulator.json").write_text(state)
    assert StatePaths(tmp_path).running() is None


def test_a_process_that_is_gone_does_not_run(tmp_path: Path, running: RunningEmulator) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    paths = StatePaths(tmp_path)
    paths.write_running(RunningEmulator(child, running.endpoint_url, None, running.control_socket))
    assert paths.running() is None
