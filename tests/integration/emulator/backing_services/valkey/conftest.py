"""A Valkey with a password, and the server that this machine has beside the packaged one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator

import pytest

from emulator.backing_services.valkey import Valkey

PASSWORD = "p \"a'ss\\wörd"
COMMANDS = [None, *(["redis-server"] if shutil.which("redis-server") else [])]
"""The packaged server, and `redis-server` where it is installed."""


@pytest.fixture(scope="module", params=COMMANDS)
def valkey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(log=tmp_path_factory.mktemp("valkey") / "log", command=request.param, password=PASSWORD)
    with asyncio.Runner() as runner:
        runner.run(server.start())
        try:
            yield server
        finally:
            runner.run(server.stop())
