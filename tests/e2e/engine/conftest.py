from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, Command, sts_fake, write_project


@pytest.fixture(scope="session")
def sts() -> Iterator[str]:
    with sts_fake() as address:
        yield address


@pytest.fixture
def bench(tmp_path: Path, sts: str) -> Iterator[Bench]:
    """An engine for one test."""
    bench = Bench(tmp_path, sts)
    yield bench
    bench.engine.end()


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory, sts: str) -> Iterator[Bench]:
    """One engine for the tests of a file, each with a project of its own."""
    bench = Bench(tmp_path_factory.mktemp("bench"), sts)
    yield bench
    bench.engine.end()


@dataclass
class Api:
    """`sam local start-api` with warm containers in front of an engine."""

    bench: Bench
    project: Path
    sam: Command
    client: httpx.Client

    @property
    def log(self) -> str:
        return self.sam.text


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, sts: str) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    bench = Bench(folder, sts)
    with contextlib.ExitStack() as started:
        started.callback(bench.engine.end)
        project = write_project(folder)
        port = free_port()
        sam = bench.start_api(project, port, "--warm-containers", "EAGER", "--no-watch")
        started.callback(sam.end)
        client = started.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60))
        yield Api(bench, project, sam, client)
