"""A Redis of the tests' own, real when it is installed, and conversations in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shopping_bot.backends.secrets import Secrets
from shopping_bot.chat.conversations import Conversations

from emulator.backing_services.redis.redis import Redis

PASSWORD = "s3cr3t pass"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with asyncio.Runner() as runner:
        redis = Redis(password=PASSWORD, log=tmp_path_factory.mktemp("redis") / "redis.log")
        runner.run(redis.start())
        yield redis
        runner.run(redis.stop())


@pytest.fixture
def make_conversations(redis_server: Redis) -> Iterator[Callable[..., Conversations]]:
    """Make conversations in that Redis; a setting of the test's own wins."""
    made = []

    def make(passwords: list[str] | None = None, **settings: Any) -> Conversations:
        left = list(passwords or [PASSWORD])
        secrets = Secrets(lambda: {"REDIS_PASSWORD": left.pop(0) if len(left) > 1 else left[0]})
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
