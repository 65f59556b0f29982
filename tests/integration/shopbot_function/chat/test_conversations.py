"""Conversations in a real server: each change is whole, repeated without harm, and frees its session soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import redis as redis_client
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.redis import RedisConnection
from shopping_bot.chat import history
from shopping_bot.chat.conversations import LEASE_SECONDS, MAXIMUM_ENTRIES, Begun, Conversations
from shopping_bot.deadline import Deadline

from emulator.backing_services.valkey import Valkey
from tests.integration.shopbot_function.conftest import PASSWORD
from tests.integration.shopbot_function.proxy import Proxy
from tests.unit.shopbot_function.fakes import session_ids


def said(text: str) -> dict[str, Any]:
    return history.customer_entry(text)


def soon() -> Deadline:
    return Deadline(10)


@pytest.fixture
def session_id() -> str:
    return session_ids().new("u1")


@pytest.fixture
def begin(conversations: Conversations, session_id: str) -> Callable[[str], Begun]:
    """Send a message of the session."""
    return lambda text: conversations.begin(session_id, said(text), soon())


@pytest.fixture
def raw(redis_server: Valkey) -> Iterator[redis_client.Redis]:
    client = redis_client.Redis(host=redis_server.host, port=redis_server.port, password=PASSWORD)
    yield client
    client.close()


def test_a_message_and_its_answer_are_kept_together(conversations: Conversations, session_id: str) -> None:
    asked, answer = said("hi 😀"), {"role": "assistant", "to": "x", "price": Decimal("85.00")}
    assert conversations.entries(session_id, soon()) == []

    begun = conversations.begin(session_id, asked, soon())
    assert begun.entries == [asked]
    assert begun.token is not None
    assert conversations.finish(session_id, begun.token, asked, answer, soon())

    assert conversations.entries(session_id, soon()) == [asked, answer]
    assert str(conversations.entries(session_id, soon())[1]["price"]) == "85.00"
    assert conversations.begin(session_id, said("more"), soon()).token is not None


def test_two_messages_at_once(begin: Callable[[str], Begun], conversations: Conversations, session_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(begin, map(str, range(8))))

    assert sum(each.token is not None for each in begun) == 1
    assert {entry["text"] for entry in conversations.entries(session_id, soon())} == set(map(str, range(8)))


def test_while_a_message_is_answered_its_session_stays_taken(
    begin: Callable[[str], Begun], conversations: Conversations, session_id: str
) -> None:
    token = begin("one").token
    assert token is not None

    with conversations.lease(session_id, token, soon()):
        time.sleep(LEASE_SECONDS + 0.5)
        assert begin("two").token is None


def test_a_failure_frees_the_session_at_once(
    begin: Callable[[str], Begun], conversations: Conversations, session_id: str
) -> None:
    token = begin("one").token
    assert token is not None

    with pytest.raises(RuntimeError), conversations.lease(session_id, token, soon()):
        raise RuntimeError

    assert begin("two").token is not None


def test_someone_else_cannot_free_the_session(
    begin: Callable[[str], Begun], conversations: Conversations, session_id: str
) -> None:
    asked = said("one")
    assert conversations.begin(session_id, asked, soon()).token is not None

    with pytest.raises(RuntimeError), conversations.lease(session_id, "someone else", soon()):
        raise RuntimeError
    conversations.finish(session_id, "someone else", asked, {"role": "assistant"}, soon())

    assert begin("two").token is None


def test_the_session_of_a_holder_that_died_is_free_within_two_seconds(begin: Callable[[str], Begun]) -> None:
    begin("one")
    assert begin("two").token is None
    time.sleep(LEASE_SECONDS + 0.1)

    assert begin("three").token is not None


def test_a_lock_whose_token_was_lost_on_the_way_is_free_within_two_seconds(
    connect: Callable[..., RedisConnection], redis_server: Valkey, session_id: str, begin: Callable[[str], Begun]
) -> None:
    with Proxy(redis_server.host, redis_server.port) as proxy:
        conversations = Conversations(connect(port=proxy.port), ttl_seconds=60)
        conversations.entries(session_id, soon())
        proxy.swallows_answers = True
        with pytest.raises(BackingServiceError):
            conversations.begin(session_id, said("one"), soon())
        lost = time.monotonic()

    while begin("two").token is None:
        assert time.monotonic() - lost < LEASE_SECONDS
        time.sleep(0.1)


def test_a_repetition_after_a_lost_answer_changes_nothing(
    conversations: Conversations, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = redis_client.Redis.eval

    def twice(self: Any, *arguments: Any) -> Any:
        original(self, *arguments)
        return original(self, *arguments)

    monkeypatch.setattr(redis_client.Redis, "eval", twice)
    asked = said("one")

    begun = conversations.begin(session_id, asked, soon())
    assert begun.token is not None
    assert len(begun.entries) == 1
    assert conversations.finish(session_id, begun.token, asked, {"role": "assistant", "to": "x"}, soon())
    assert len(conversations.entries(session_id, soon())) == 2


def test_an_answer_is_kept_though_its_lease_ran_out(
    begin: Callable[[str], Begun], conversations: Conversations, session_id: str, raw: redis_client.Redis
) -> None:
    asked = said("one")
    token = conversations.begin(session_id, asked, soon()).token
    assert token is not None
    raw.delete(f"shopbot:{{{session_id}}}:lock")
    assert begin("two").token is not None

    assert conversations.finish(session_id, token, asked, {"role": "assistant", "to": asked["id"]}, soon())

    assert len(conversations.entries(session_id, soon())) == 3
    assert begin("three").token is None, "the lock is the second message's"


def test_a_conversation_is_capped_and_expires(
    begin: Callable[[str], Begun], session_id: str, raw: redis_client.Redis
) -> None:
    for number in range(MAXIMUM_ENTRIES + 5):
        begun = begin(str(number))

    assert len(begun.entries) == MAXIMUM_ENTRIES
    assert begun.entries[-1]["text"] == str(MAXIMUM_ENTRIES + 4)
    keys = [key for key in raw.keys() if session_id in str(key)]  # noqa: SIM118  not a dict
    assert len(keys) == 2
    assert all(0 < raw.ttl(key) <= 60 for key in keys)


def test_what_was_forgotten_is_not_brought_back_by_its_answer(conversations: Conversations, session_id: str) -> None:
    asked = said("one")
    token = conversations.begin(session_id, asked, soon()).token
    assert token is not None

    assert conversations.forget(session_id, soon())
    assert not conversations.forget(session_id, soon())
    assert not conversations.finish(session_id, token, asked, {"role": "assistant"}, soon())

    assert conversations.entries(session_id, soon()) == []


def test_sessions_do_not_meet(begin: Callable[[str], Begun], conversations: Conversations) -> None:
    begin("one")
    other = session_ids().new("u1")

    assert conversations.begin(other, said("two"), soon()).token is not None
    assert len(conversations.entries(other, soon())) == 1


def test_what_somebody_else_wrote_into_a_conversation_is_left_out(
    begin: Callable[[str], Begun], session_id: str, raw: redis_client.Redis
) -> None:
    begin("one")
    for foreign in ("{", "5", "[]", "\x80"):
        raw.rpush(f"shopbot:{{{session_id}}}:entries", foreign)

    assert [entry["text"] for entry in begin("two").entries] == ["one", "two"]


def test_no_thread_stays_behind(begin: Callable[[str], Begun], conversations: Conversations, session_id: str) -> None:
    token = begin("one").token
    assert token is not None
    with conversations.lease(session_id, token, soon()):
        assert any(thread.name == "lease" for thread in threading.enumerate())

    end = time.monotonic() + 60
    while any(thread.name == "lease" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
