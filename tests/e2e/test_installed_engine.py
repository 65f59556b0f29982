"""`ENGINE=docker`: functions run where `DOCKER_HOST` says; the engine of this repository, alone, stands in for one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import free_port
from emulator.project.paths import STATE_FOLDER_VARIABLE, StatePaths
from sam_template.repository import INSTALLED, REPOSITORY
from tests.e2e.conftest import Started
from tests.e2e.processes import assert_nothing_left, family


@pytest.fixture
def docker_host(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "emulator.engine", "--socket", str(tmp_path / "e.sock")]
    command += ["--installed", str(INSTALLED)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        yield engine.stdout.readline().strip().removeprefix("DOCKER_HOST=")
        engine.terminate()


@pytest.fixture
def started(tmp_path: Path, docker_host: str) -> Iterator[Started]:
    """What `make start` runs once it has built."""
    port, printed = free_port(), tmp_path / "output.txt"
    options = {"ENGINE": "docker", "DOCKER_HOST": docker_host, STATE_FOLDER_VARIABLE: str(tmp_path / "run")}
    command = [sys.executable, "-m", "emulator", "start", "--port", str(port)]
    with (
        printed.open("wb") as output,
        subprocess.Popen(
            command, cwd=REPOSITORY, env=os.environ | options, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        started = Started(process, printed, port)
        try:
            started.wait_until_ready()
            yield started
        finally:
            process.terminate()


def test_both_services_answer_through_an_installed_engine(started: Started, tmp_path: Path) -> None:
    assert "the installed container engine" in started.printed
    assert httpx.get(f"{started.url}/inventory/CHIPS-BEET-80G", timeout=30).status_code == 200
    message = {"user_id": "u1", "message": "vegan chips"}
    chat = httpx.post(f"{started.url}/chat", json=message, timeout=30).json()
    assert chat["response_type"] == "final_answer"
    assert chat["meta"]["degraded"] == []
    processes = family(started.process.pid)
    started.process.terminate()
    assert_nothing_left(processes, StatePaths(tmp_path / "run"), started.port)
