"""AWS stalls: what needs none of it is answered at once, by environments that start meanwhile, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from emulator.control import ask
from emulator.project.paths import RunningEmulator
from tests.e2e.processes import family

SECONDS = 10


@pytest.fixture
def stalled_aws(running: RunningEmulator) -> Iterator[None]:
    asyncio.run(ask(running, "fault", "aws=stall"))
    yield
    asyncio.run(ask(running, "fault", "aws=none"))


def environments(running: RunningEmulator) -> list[psutil.Process]:
    return [process for process in family(running.process.pid) if "bootstrap.py" in " ".join(process.cmdline())]


def test_a_request_that_needs_no_aws_is_answered_though_no_environment_is_left(
    client: httpx.Client, running: RunningEmulator, stalled_aws: None
) -> None:
    assert client.get("/").status_code == 200
    killed = environments(running)
    for environment in killed:
        environment.kill()
    psutil.wait_procs(killed, timeout=5)
    began = time.monotonic()
    for path in ("/", "/health"):
        assert client.get(path).status_code == 200
    assert time.monotonic() - began < SECONDS
