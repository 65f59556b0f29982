"""A Valkey of the tests' own, and conversations in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shopping_bot.backends.redis import RedisConnection
from shopping_bot.chat.conversations import Conversations

from emulator.backing_services.valkey import Valkey
from lambda_http.json_secret import JsonSecret

PASSWORD = "s3cr3t pass"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with asyncio.Runner() as runner:
        valkey = Valkey(password=PASSWORD, log=tmp_path_factory.mktemp("valkey") / "valkey.log")
        runner.run(valkey.start())
        yield valkey
        runner.run(valkey.stop())


@pytest.fixture
def connect(redis_server: Valkey) -> Iterator[Callable[..., RedisConnection]]:
    """Make connections to that Redis, with the `passwords` that the secret has one after the other.

    A setting of the test's own wins.
    """
    made = []

    def connect(passwords: list[str] | None = None, **settings: Any) -> RedisConnection:
        left = list(passwords or [PASSWORD])
        secrets = JsonSecret(lambda: {"REDIS_PASSWORD": left.pop(0) if len(left) > 1 else left[0]}, print)
        defaults = {"host": redis_server.host, "port": redis_server.port, "tls": False, "cluster": False}
        connection = RedisConnection(**{**defaults, **settings}, secrets=secrets)
        made.append(connection)
        return connection

    yield connect
    for thread in threading.enumerate():
        if thread.name == "lease":  # it may still renew a lock that nobody needs any more
            thread.join(60)
    for connection in made:
        connection.close()


@pytest.fixture
def conversations(connect: Callable[..., RedisConnection]) -> Conversations:
    return Conversations(connect(), ttl_seconds=60)
