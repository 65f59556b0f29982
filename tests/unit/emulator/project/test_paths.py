"""What commands of one checkout tell each other."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths
from sam_template.repository import INSTALLED
from tests.shop import PROJECT


@pytest.fixture
def running() -> RunningEmulator:
    this = ProcessIdentity.of(os.getpid())
    assert this is not None
    return RunningEmulator(
        this,
        Endpoint("http://127.0.0.1:4566", RootCredentials.random()),
        "unix:///engine.sock",
        "/control.sock",
        "us-east-1",
        "/home",
    )


def test_a_checkout_has_a_state_folder_of_its_own_and_the_environment_may_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(STATE_FOLDER_VARIABLE, raising=False)
    assert StatePaths.of(PROJECT).folder == INSTALLED / "run"
    monkeypatch.setenv(STATE_FOLDER_VARIABLE, str(tmp_path))
    assert StatePaths.of(PROJECT).folder == tmp_path


def test_sockets_have_short_names_that_no_two_state_folders_share(tmp_path: Path) -> None:
    deep = StatePaths(tmp_path.joinpath(*["a-long-folder-name"] * 10))
    assert len(str(deep.engine_socket)) < 104
    assert deep.sockets != StatePaths(tmp_path).sockets


def test_what_runs_is_known_until_it_is_forgotten(tmp_path: Path, running: RunningEmulator) -> None:
    paths = StatePaths(tmp_path)
    assert paths.running() is None
    paths.write_running(running)
    assert paths.running() == running
    paths.forget_running()
    assert paths.running() is None


@pytest.mark.parametrize(
    "state",
    [
        *("", "{", "[]", "null", "\x00", '{"pid": 1}'),
        '{"process": 1, "endpoint": {}, "engine": null, "control_socket": ""}',
        '{"process": {"pid": "1", "started": ""}, "endpoint": {}, "engine": null, "control_socket": ""}',
    ],
)
def test_a_state_that_cannot_be_read_means_that_nothing_runs(state: str, tmp_path: Path) -> None:
    (tmp_path / "emulator.json").write_text(state)
    assert StatePaths(tmp_path).running() is None


@pytest.mark.parametrize("pid", [0, -1, 10**20])
def test_a_state_with_an_absurd_process_id_means_that_nothing_runs(
    pid: int, tmp_path: Path, running: RunningEmulator
) -> None:
    paths = StatePaths(tmp_path)
    paths.write_running(running)
    state = json.loads((tmp_path / "emulator.json").read_text())
    state["process"]["pid"] = pid
    (tmp_path / "emulator.json").write_text(json.dumps(state))
    assert paths.running() is None


def test_a_process_that_has_the_id_of_a_dead_emulator_is_none(tmp_path: Path, running: RunningEmulator) -> None:
    paths = StatePaths(tmp_path)
    reused = ProcessIdentity(os.getpid(), "before this process began")
    paths.write_running(replace(running, process=reused))
    assert paths.running() is None
