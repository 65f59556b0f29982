from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from shopping_bot.backends import BackingServiceError
from shopping_bot.chat import history, session
from shopping_bot.chat.conversations import MAXIMUM_ENTRIES, Conversations

from emulator.backing_services.valkey import Valkey
from tests.integration.shopbot_function.conftest import PASSWORD
from tests.integration.shopbot_function.proxy import Proxy

LOCK = 30_000


def said(text: str) -> dict[str, Any]:
    return history.customer_entry(text)


@pytest.fixture
def session_id() -> str:
    return session.new_session_id("u1")


@pytest.fixture
def raw(redis_server: Valkey) -> Iterator[redis_client.Redis]:
    client = redis_client.Redis(host=redis_server.host, port=redis_server.port, password=PASSWORD)
    yield client
    client.close()


def test_an_exchange(conversations: Conversations, session_id: str) -> None:
    asked, answer = said("hi 😀"), {"role": "assistant", "to": "x", "price": Decimal("85.00")}
    assert conversations.entries(session_id) == []

    begun = conversations.begin(session_id, asked, LOCK)
    assert begun.entries == [asked]
    assert begun.token is not None
    assert conversations.finish(session_id, begun.token, answer)

    assert conversations.entries(session_id) == [asked, answer]
    assert str(conversations.entries(session_id)[1]["price"]) == "85.00"
    assert conversations.begin(session_id, said("more"), LOCK).token is not None


def test_two_messages_at_once(conversations: Conversations, session_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda number: conversations.begin(session_id, said(str(number)), LOCK), range(8)))

    assert sum(each.token is not None for each in begun) == 1
    assert {entry["text"] for entry in conversations.entries(session_id)} == set(map(str, range(8)))


def test_an_answer_frees_the_session_and_only_its_holder_may(conversations: Conversations, session_id: str) -> None:
    token = conversations.begin(session_id, said("one"), LOCK).token
    assert token is not None

    conversations.release(session_id, "someone else")
    assert not conversations.finish(session_id, "someone else", {"role": "assistant"})
    assert conversations.begin(session_id, said("two"), LOCK).token is None
    conversations.release(session_id, token)

    assert conversations.begin(session_id, said("three"), LOCK).token is not None
    assert len(conversations.entries(session_id)) == 3


def test_the_lock_of_a_holder_that_died_frees_itself(conversations: Conversations, session_id: str) -> None:
    conversations.begin(session_id, said("one"), 100)
    time.sleep(0.15)

    assert conversations.begin(session_id, said("two"), LOCK).token is not None


def test_a_repetition_after_a_lost_answer_changes_nothing(
    conversations: Conversations, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = redis_client.Redis.eval
    lost: list[Any] = []

    def lose(self: Any, *arguments: Any) -> Any:
        answer = original(self, *arguments)
        if not lost:
            lost.append(answer)
            return original(self, *arguments)
        return answer

    monkeypatch.setattr(redis_client.Redis, "eval", lose)

    begun = conversations.begin(session_id, said("one"), LOCK)

    assert begun.token is not None
    assert len(begun.entries) == 1


def test_a_conversation_is_capped_and_expires(
    conversations: Conversations, session_id: str, raw: redis_client.Redis
) -> None:
    for number in range(MAXIMUM_ENTRIES + 5):
        begun = conversations.begin(session_id, said(str(number)), LOCK)

    assert len(begun.entries) == MAXIMUM_ENTRIES
    assert begun.entries[-1]["text"] == str(MAXIMUM_ENTRIES + 4)
    keys = [key for key in raw.keys() if session_id in str(key)]  # noqa: SIM118  not a dict
    assert len(keys) == 2
    assert all(0 < raw.ttl(key) <= 60 for key in keys)


def test_forgetting(conversations: Conversations, session_id: str) -> None:
    token = conversations.begin(session_id, said("one"), LOCK).token
    assert token is not None

    assert conversations.forget(session_id)
    assert not conversations.forget(session_id)
    assert not conversations.finish(session_id, token, {"role": "assistant"})

    assert conversations.entries(session_id) == []


def test_sessions_do_not_meet(conversations: Conversations, session_id: str) -> None:
    conversations.begin(session_id, said("one"), LOCK)
    other = session.new_session_id("u1")

    assert conversations.begin(other, said("two"), LOCK).token is not None
    assert len(conversations.entries(other)) == 1


@pytest.mark.parametrize("first", ["old", "", PASSWORD])
def test_a_rotated_password_is_read_anew(
    make_conversations: Callable[..., Conversations], session_id: str, first: str
) -> None:
    conversations = make_conversations([first, PASSWORD])

    assert conversations.begin(session_id, said("one"), LOCK).token is not None


def test_a_wrong_password_is_down(make_conversations: Callable[..., Conversations], session_id: str) -> None:
    conversations = make_conversations(["wrong"])

    for _ in range(2):
        with pytest.raises(BackingServiceError, match="redis") as down:
            conversations.begin(session_id, said("one"), LOCK)
        assert "wrong" not in str(down.value)


def test_a_redis_that_refuses_is_down_at_once(
    make_conversations: Callable[..., Conversations], session_id: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()

    with pytest.raises(BackingServiceError, match="redis"):
        make_conversations(port=port).entries(session_id)
    assert time.monotonic() - started < 1


def test_a_redis_that_is_silent_is_down_soon(make_conversations: Callable[..., Conversations], session_id: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(BackingServiceError, match="redis"):
            make_conversations(port=silent.getsockname()[1]).entries(session_id)
    assert time.monotonic() - started < 5


def test_a_redis_without_tls_is_down_for_a_client_with_it(
    make_conversations: Callable[..., Conversations], session_id: str
) -> None:
    with pytest.raises(BackingServiceError, match="redis"):
        make_conversations(tls=True).entries(session_id)


def test_no_host_is_down(make_conversations: Callable[..., Conversations], session_id: str) -> None:
    with pytest.raises(BackingServiceError, match="REDIS_HOST is not set"):
        make_conversations(host="").entries(session_id)


def test_it_recovers_by_itself(
    make_conversations: Callable[..., Conversations], session_id: str, tmp_path: Path
) -> None:
    with asyncio.Runner() as runner:
        valkey = Valkey(log=tmp_path / "one.log")
        runner.run(valkey.start())
        conversations = make_conversations([""], port=valkey.port)
        conversations.begin(session_id, said("one"), LOCK)
        runner.run(valkey.stop())
        with pytest.raises(BackingServiceError):
            conversations.entries(session_id)

        again = Valkey(log=tmp_path / "two.log", port=valkey.port)
        runner.run(again.start())
        assert conversations.begin(session_id, said("two"), LOCK).token is not None
        runner.run(again.stop())


def test_connections_that_died_while_frozen_are_replaced(
    make_conversations: Callable[..., Conversations], redis_server: Valkey, session_id: str
) -> None:
    with Proxy(redis_server.host, redis_server.port) as proxy:
        conversations = make_conversations(port=proxy.port)
        conversations.begin(session_id, said("one"), LOCK)
        proxy.drop()

        assert len(conversations.entries(session_id)) == 1
