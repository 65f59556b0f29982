"""Both doors of one emulator: `sam local start-api` and the gateway share the functions' environments."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.commands import background
from emulator.paths import STATE_FOLDER_VARIABLE, StatePaths
from emulator.processes.ports import accepts
from sam_template.repository import REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.conftest import DOORS, Started, make_start

GONE_SECONDS = 5
HANDLER = "app.lambda_handler.lambda_handler"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    shell = {name: value for name, value in os.environ.items() if name not in NAME_OTHER_BACKING_SERVICES}
    return {**shell, STATE_FOLDER_VARIABLE: str(tmp_path_factory.mktemp("doors") / "run")}


@pytest.fixture(scope="module")
def paths_of_doors(environment: dict[str, str]) -> StatePaths:
    return StatePaths(Path(environment[STATE_FOLDER_VARIABLE]))


@pytest.fixture(scope="module")
def up(environment: dict[str, str], paths_of_doors: StatePaths) -> Iterator[str]:
    """What `make up` prints, with the emulator that it starts."""
    done = subprocess.run(
        ["make", "up"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    yield done.stdout
    background.down(paths_of_doors)


@pytest.fixture
def start(environment: dict[str, str], up: str, tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    """Run `make start` with a door in front of that emulator."""
    opened = []

    def start(door: str) -> Started:
        (tmp_path / door).mkdir()
        started = make_start(tmp_path / door, environment=environment, front=door)
        opened.append(started)
        started.wait_until_ready()
        return started

    yield start
    for started in opened:
        started.process.terminate()
        started.process.wait(30)


def environments(paths: StatePaths) -> list[psutil.Process]:
    running = paths.running()
    assert running is not None
    children = psutil.Process(running.process.pid).children(recursive=True)
    return [child for child in children if child.cmdline()[-1:] == [HANDLER]]


def test_up_offers_the_gateway_and_says_where_it_is(up: str) -> None:
    found = re.search(r"^  ShopApi +HTTP API, gateway +(http://127\.0\.0\.1:\d+)$", up, re.MULTILINE)
    assert found, up
    assert httpx.get(found[1]).json()["status"] == "ok"


def test_both_doors_share_a_functions_environments(start: Callable[[str], Started], paths_of_doors: StatePaths) -> None:
    doors = [start(door) for door in DOORS]
    for _ in range(3):
        for door in doors:
            assert httpx.get(door.url, timeout=30).status_code == 200
    # Two are started ahead of need, and nothing here needs more: apart, the doors would have four.
    assert len(environments(paths_of_doors)) == 2


def test_a_door_that_is_killed_closes_and_the_emulator_lives_on(
    start: Callable[[str], Started], paths_of_doors: StatePaths
) -> None:
    door = start("gateway")
    assert httpx.get(door.url, timeout=30).status_code == 200
    command = psutil.Process(door.process.pid)
    for process in [command, *command.children(recursive=True)]:
        process.kill()
    deadline = time.monotonic() + GONE_SECONDS
    while accepts(door.port):
        assert time.monotonic() < deadline, f"port {door.port} is still open"
        time.sleep(0.05)
    assert paths_of_doors.running() is not None
