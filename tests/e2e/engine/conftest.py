from __future__ import annotations

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
    project = write_project(folder)
    port = free_port()
    sam = bench.start_api(project, port, "--warm-containers", "EAGER", "--no-watch")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield Api(bench, project, sam, client)
    finally:
        sam.end()
        bench.engine.end()
