"""What the shop asks of Redis works on Valkey, through the client that the shop uses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis as Client
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoScriptError, ResponseError
from redis.retry import Retry

from emulator.backing_services.valkey import Valkey
from tests.integration.emulator.backing_services.valkey.conftest import PASSWORD

RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


@pytest.fixture(params=[2, 3])
def client(valkey: Valkey, request: pytest.FixtureRequest) -> Iterator[Any]:
    with Client(host=valkey.host, port=valkey.port, password=PASSWORD, protocol=request.param) as client:
        client.flushall()
        yield client


def test_a_lock_is_taken_once_and_expires(client: Any) -> None:
    assert client.set("lock", "me", nx=True, px=60_000) is True
    assert client.set("lock", "you", nx=True, px=60_000) is None
    assert 0 < client.pttl("lock") <= 60_000
    assert client.set("short", "me", nx=True, px=1) is True
    while client.exists("short"):
        pass


def test_a_script_releases_the_lock_of_its_holder_only(client: Any) -> None:
    client.set("lock", "me")
    assert client.eval(RELEASE, 1, "lock", "you") == 0
    assert client.eval(RELEASE, 1, "lock", "me") == 1
    assert client.eval("return {KEYS[1], ARGV[1], 2.9}", 1, "k", "v") == [b"k", b"v", 2]


def test_a_script_is_called_by_its_digest(client: Any) -> None:
    with pytest.raises(NoScriptError):
        client.evalsha("0" * 40, 0)
    digest = client.script_load(RELEASE)
    client.set("lock", "me")
    assert client.evalsha(digest, 1, "lock", "me") == 1
    assert client.register_script(RELEASE)(keys=["lock"], args=["me"]) == 0


def test_turns_are_appended_capped_and_expiring_in_one_transaction(client: Any) -> None:
    for turn in range(5):
        pipeline = client.pipeline(transaction=True)
        pipeline.rpush("turns", f"turn {turn}").ltrim("turns", -3, -1).expire("turns", 60).lrange("turns", 0, -1)
        answers = pipeline.execute()
    assert answers[1:] == [True, True, [b"turn 2", b"turn 3", b"turn 4"]]
    assert 0 < client.ttl("turns") <= 60


def test_large_and_binary_values_come_back_as_they_were(client: Any) -> None:
    for value in (bytes(range(256)), b"x" * 1_000_000, b"", b"line\r\nline\n" * 1000):
        client.set("value", value)
        assert client.get("value") == value


def test_a_wrong_type_is_refused_in_the_words_of_redis(client: Any) -> None:
    client.set("text", "x")
    with pytest.raises(ResponseError, match=r"^WRONGTYPE Operation"):
        client.rpush("text", "y")


def test_connections_work_side_by_side(valkey: Valkey, client: Any) -> None:
    def add() -> None:
        with Client(host=valkey.host, port=valkey.port, password=PASSWORD) as mine:
            for _ in range(50):
                mine.incr("count")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(client.get("count")) == 400


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("password", [None, "wrong"])
def test_nobody_comes_in_without_the_password(valkey: Valkey, password: str | None, protocol: int) -> None:
    once = Retry(NoBackoff(), 0)
    with (
        Client(host=valkey.host, port=valkey.port, password=password, protocol=protocol, retry=once) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.get("anything")


def test_the_wire_is_that_of_redis(valkey: Valkey) -> None:
    password = PASSWORD.encode()
    conversation = [
        (b"*1\r\n$4\r\nPING\r\n", b"-NOAUTH Authentication required.\r\n"),
        (b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(password), password), b"+OK\r\n"),
        (b"*3\r\n$3\r\nSET\r\n$4\r\nwire\r\n$5\r\nvalue\r\n", b"+OK\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$4\r\nwire\r\n", b"$5\r\nvalue\r\n"),
        (b"*2\r\n$3\r\nGET\r\n$4\r\nnone\r\n", b"$-1\r\n"),
        (
            b"*2\r\n$4\r\nLLEN\r\n$4\r\nwire\r\n",
            b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        ),
        (b"*1\r\n$5\r\nMULTI\r\n", b"+OK\r\n"),
        (b"*2\r\n$4\r\nLLEN\r\n$4\r\nwire\r\n", b"+QUEUED\r\n"),
        (b"*1\r\n$4\r\nEXEC\r\n", b"*1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
    ]
    with socket.create_connection((valkey.host, valkey.port)) as connection:
        for request, answer in conversation:
            connection.sendall(request)
            assert connection.recv(1000) == answer
