"""A Valkey of the tests' own, and conversations in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
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
def make_conversations(redis_server: Valkey) -> Iterator[Callable[..., Conversations]]:
    """Make conversations in that Valkey; a setting of the test's own wins."""
    made = []

    def make(passwords: list[str] | None = None, **settings: Any) -> Conversations:
        left = list(passwords or [PASSWORD])
        secrets = JsonSecret(lambda: {"REDIS_PASSWORD": left.pop(0) if len(left) > 1 else left[0]}, print)
        defaults = {"host": redis_server.host, "port": redis_server.port, "tls": False, "ttl_seconds": 60}
        conversations = Conversations(**{**defaults, **settings}, secrets=secrets)
        made.append(conversations)
        return conversations

    yield make
    for conversations in made:
        conversations.close()


@pytest.fixture
def conversations(make_conversations: Callable[..., Conversations]) -> Conversations:
    return make_conversations()
