"""What commands of one checkout tell each other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.paths import HOME_VARIABLE, INSTALLED, Home, Running


@pytest.fixture
def running() -> Running:
    return Running(os.getpid(), "http://127.0.0.1:4566", "unix:///engine.sock", "/control.sock")


def test_a_checkout_has_a_home_of_its_own_and_the_environment_may_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    assert Home.current().folder == INSTALLED / "run"
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert Home.current().folder == tmp_path


def test_sockets_have_short_names_that_no_two_homes_share(tmp_path: Path) -> None:
    deep = Home(tmp_path.joinpath(*["a-long-folder-name"] * 10))
    assert len(str(deep.engine_socket)) < 104
    assert deep.sockets != Home(tmp_path).sockets


def test_what_runs_is_known_until_it_is_forgotten(tmp_path: Path, running: Running) -> None:
    home = Home(tmp_path / "run")
    assert home.running() is None
    home.write_running(running)
    assert home.running() == running
    home.forget_running()
    assert home.running() is None


@pytest.mark.parametrize("state", ["", "{", "[]", '{"pid": 1}'])
def test_a_state_that_cannot_be_read_means_that_nothing_runs(state: str, tmp_path: Path) -> None:
    (tmp_path / "emulator.json").write_text(state)
    assert Home(tmp_path).running() is None


def test_a_process_that_is_gone_does_not_run(tmp_path: Path, running: Running) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    home = Home(tmp_path)
    home.write_running(Running(child, running.endpoint_url, None, running.control_socket))
    assert home.running() is None
