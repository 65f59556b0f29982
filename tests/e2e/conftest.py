"""The whole shop as a developer runs it: `make start`, the unmodified `sam`, requests over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from emulator.control import ask
from emulator.processes.ports import accepts, free_port
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.sam.sam_cli import start_lambda_command
from sam_template.repository import REPOSITORY
from tests.e2e.browser import MISSING, Browser, installed_browser
from tests.e2e.forked_sam import ForkedSam
from tests.shop import PROJECT

READY_SECONDS = 60


class Started:
    """A `make start` that is on its way or ready; what it prints is in `printed`."""

    def __init__(self, process: subprocess.Popen[bytes], printed: Path, port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._printed = printed

    @property
    def printed(self) -> str:
        return self._printed.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        self.wait_until_shows(rf"^Ready: {re.escape(self.url)}\b")

    def wait_until_shows(self, pattern: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not re.search(pattern, self.printed, re.MULTILINE):
            assert self.process.poll() is None, f"make start ended with {self.process.returncode}:\n{self.printed}"
            assert time.monotonic() < deadline, f"no {pattern!r} within {READY_SECONDS} s:\n{self.printed}"
            time.sleep(0.05)


def make_start(
    folder: Path,
    *,
    port: int | None = None,
    environment: dict[str, str] | None = None,
    checkout: Path = REPOSITORY,
    front: str = "sam",
) -> Started:
    """Run `make start` in `checkout`; what it prints goes to a file of `folder`."""
    port = port or free_port()
    printed = folder / "output.txt"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            ["make", "start", f"PORT={port}", f"FRONT={front}"],
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Started(process, printed, port)


@pytest.fixture(scope="session")
def shop(paths: StatePaths, running: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`make start` in front of the emulator of this run."""
    started = make_start(tmp_path_factory.mktemp("shop"))
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.process.terminate()
        started.process.wait(30)


@pytest.fixture(scope="module")
def start_lambda_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam local start-lambda` writes."""
    return tmp_path_factory.mktemp("start-lambda") / "log"


@pytest.fixture(scope="module")
def aws_lambda(
    paths: StatePaths, running: RunningEmulator, tool_environment: dict[str, str], start_lambda_log: Path
) -> Iterator[Any]:
    """boto3's client of Lambda at a `sam local start-lambda`."""
    port = free_port()
    command = start_lambda_command(PROJECT, paths, running, port)
    process = ForkedSam(command, tool_environment, REPOSITORY, start_lambda_log, start_lambda_log)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not accepts(port):
            assert process.poll() is None, start_lambda_log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=60)
        client = boto3.client("lambda", "us-east-1", endpoint_url=f"http://127.0.0.1:{port}", config=config)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium: a bare machine may lack one, CI installs it."""
    if installed_browser() is None and not os.environ.get("CI"):
        pytest.skip(MISSING)
    with Browser() as browser:
        yield browser


API_SERVERS = ("sam", "gateway")
"""The API servers of the shop: the unmodified `sam local start-api`, and the gateway of the same emulator."""


@pytest.fixture(scope="session")
def urls(shop: Started, running: RunningEmulator) -> dict[str, str]:
    """The address of the shop at each API server."""
    ((_, _, gateway),) = asyncio.run(ask(running, "status"))["apis"]
    return {"sam": shop.url, "gateway": gateway}


@pytest.fixture(scope="session")
def clients(urls: dict[str, str]) -> Iterator[dict[str, httpx.Client]]:
    """A client of each API server."""
    with contextlib.ExitStack() as opened:
        yield {name: opened.enter_context(httpx.Client(base_url=urls[name], timeout=30)) for name in API_SERVERS}


@pytest.fixture(scope="session", params=API_SERVERS)
def client(request: pytest.FixtureRequest, clients: dict[str, httpx.Client]) -> httpx.Client:
    """A client of one API server: a test that uses it runs once for each."""
    return clients[request.param]
