"""A saved source runs at the next request; requests that are under way are answered."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from emulator.project.paths import STATE_FOLDER_VARIABLE
from sam_template.repository import REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.conftest import API_SERVERS, make_start

INSTALLED = (".venv", ".local")
NOT_COPIED = shutil.ignore_patterns(*INSTALLED, ".git", ".*_cache", ".hypothesis", "deployment", "rehearsal", "tests")
MESSAGE = "The inventory service is running"
RELOADED_SECONDS = 15


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository: other tests read its sources while these tests edit them."""
    copy = tmp_path_factory.mktemp("checkout") / "shop"
    shutil.copytree(REPOSITORY, copy, ignore=NOT_COPIED)
    for name in INSTALLED:
        (copy / name).symlink_to(REPOSITORY / name)
    return copy


@pytest.fixture(scope="module")
def api_servers(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of both API servers of one emulator in that copy."""
    folder = tmp_path_factory.mktemp("reload")
    shell = {name: value for name, value in os.environ.items() if name not in NAME_OTHER_BACKING_SERVICES}
    environment = {**shell, STATE_FOLDER_VARIABLE: str(folder / "run"), "THROTTLE": "off"}
    with contextlib.ExitStack() as stack:
        urls = {}
        for api_server in API_SERVERS:
            (folder / api_server).mkdir()
            started = make_start(folder / api_server, environment=environment, checkout=checkout, front=api_server)
            stack.callback(started.process.wait, 30)
            stack.callback(started.process.terminate)
            started.wait_until_ready()
            urls[api_server] = started.url
        yield urls


@pytest.fixture(params=API_SERVERS)
def client(api_servers: dict[str, str], request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of one API server: each test runs once for each."""
    with httpx.Client(base_url=api_servers[request.param], timeout=30) as client:
        yield client


@pytest.fixture
def source(checkout: Path) -> Iterator[Path]:
    source = checkout / "inventory_function/app/main.py"
    original = source.read_text()
    assert MESSAGE in original
    yield source
    source.write_text(original)


def wait_for(client: httpx.Client, message: str) -> None:
    deadline = time.monotonic() + RELOADED_SECONDS
    while message not in client.get("/").json()["message"]:
        assert time.monotonic() < deadline, f"{message!r} is not answered"
        time.sleep(0.05)


def test_a_saved_source_is_answered_and_no_request_is_lost(client: httpx.Client, source: Path) -> None:
    stop, statuses = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            statuses.append(client.get("/inventory/CHIPS-BEET-80G").status_code)
            time.sleep(0.02)  # as often as it matters, and time for the new environments

    with ThreadPoolExecutor(2) as clients:
        asking = [clients.submit(ask) for _ in range(2)]
        try:
            for number in range(3):
                text = source.read_text()
                source.write_text(
                    text.replace(MESSAGE, f"Edited {number}")
                    if number == 0
                    else text.replace(f"Edited {number - 1}", f"Edited {number}")
                )
                wait_for(client, f"Edited {number}")
        finally:
            stop.set()
        for future in asking:
            future.result()
    assert set(statuses) == {200}


def test_a_mistake_is_answered_with_500_and_its_correction_runs(client: httpx.Client, source: Path) -> None:
    original = source.read_text()
    source.write_text(original + "\nraise RuntimeError('edited')\n")
    deadline = time.monotonic() + RELOADED_SECONDS
    while client.get("/").status_code != 500:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    source.write_text(original)
    while client.get("/").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
