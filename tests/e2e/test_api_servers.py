"""`sam local start-api` and the gateway of one emulator share the functions' environments."""

from __future__ import annotations

import json
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
from emulator.engine.running_function import READY_ENVIRONMENTS
from emulator.processes.ports import accepts
from emulator.project.paths import STATE_FOLDER_VARIABLE, StatePaths
from sam_template.repository import REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.conftest import API_SERVERS, Started, make_start

GONE_SECONDS = 60
HANDLER = "app.lambda_handler.lambda_handler"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    shell = {name: value for name, value in os.environ.items() if name not in NAME_OTHER_BACKING_SERVICES}
    return {**shell, STATE_FOLDER_VARIABLE: str(tmp_path_factory.mktemp("api_servers") / "run")}


@pytest.fixture(scope="module")
def state_paths(environment: dict[str, str]) -> StatePaths:
    return StatePaths(Path(environment[STATE_FOLDER_VARIABLE]))


@pytest.fixture(scope="module")
def up(environment: dict[str, str], state_paths: StatePaths) -> Iterator[str]:
    """What `make up` prints, with the emulator that it starts."""
    done = subprocess.run(
        ["make", "up"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    yield done.stdout
    background.down(state_paths)


@pytest.fixture
def start(environment: dict[str, str], up: str, tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    """Run `make start` with an API server in front of that emulator."""
    opened = []

    def start(api_server: str) -> Started:
        (tmp_path / api_server).mkdir()
        started = make_start(tmp_path / api_server, environment=environment, front=api_server)
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
    assert httpx.get(found[1], timeout=30).json()["status"] == "ok"


def test_both_share_a_functions_environments(start: Callable[[str], Started], state_paths: StatePaths) -> None:
    deadline = time.monotonic() + 60
    while len(before := environments(state_paths)) < READY_ENVIRONMENTS:
        assert time.monotonic() < deadline, f"{len(before)} are started ahead of need"
        time.sleep(0.1)
    api_servers = [start(api_server) for api_server in API_SERVERS]
    for _ in range(3):
        for api_server in api_servers:
            assert httpx.get(api_server.url, timeout=30).status_code == 200
    # Nothing here needs more: apart, `sam` would have had to start others before it answered.
    assert environments(state_paths) == before


def test_the_report_tells_the_requests_of_each(start: Callable[[str], Started], environment: dict[str, str]) -> None:
    for api_server in [start(api_server) for api_server in API_SERVERS]:
        for path in ("/", "/inventory/NO-SUCH-SKU"):
            httpx.get(f"{api_server.url}{path}", timeout=30)
    command = ["make", "report", "ARGS=--json"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    rows = json.loads(done.stdout)["routes"]
    for server in ("gateway", "sam local start-api"):
        told = {row["route"]: row for row in rows if (row["server"], row["api"]) == (server, "ShopApi")}
        assert told["GET /"]["requests"] >= 1
        assert told["GET /"]["client_errors"] == 0
        assert told["GET /inventory/{sku}"]["client_errors"] >= 1


def test_a_door_that_is_killed_closes_and_the_emulator_lives_on(
    start: Callable[[str], Started], state_paths: StatePaths
) -> None:
    api_server = start("gateway")
    assert httpx.get(api_server.url, timeout=30).status_code == 200
    command = psutil.Process(api_server.process.pid)
    for process in [command, *command.children(recursive=True)]:
        process.kill()
    deadline = time.monotonic() + GONE_SECONDS
    while accepts(api_server.port):
        assert time.monotonic() < deadline, f"port {api_server.port} is still open"
        time.sleep(0.05)
    assert state_paths.running() is not None
