"""The Redis servers that this machine has: the embedded one everywhere, `redis-server` where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.backing_services.redis import Redis

PASSWORD = "p \"a'ss\\wörd"
AVAILABLE = ["embedded", *(["redis-server"] if shutil.which("redis-server") else [])]


@contextlib.contextmanager
def running_redis(log: Path, *, server: str, password: str | None) -> Iterator[Redis]:
    redis = Redis(log=log, server=server, password=password)
    with asyncio.Runner() as runner:
        runner.run(redis.start())
        try:
            yield redis
        finally:
            runner.run(redis.stop())


@pytest.fixture(scope="module", params=AVAILABLE)
def redis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running_redis(tmp_path_factory.mktemp("redis") / "log", server=request.param, password=PASSWORD) as server:
        yield server
