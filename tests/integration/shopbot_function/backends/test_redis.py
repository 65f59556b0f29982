"""The connection to Redis: passwords, servers that go away, failovers and clusters, against real servers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.redis import RedisConnection
from shopping_bot.chat import history
from shopping_bot.chat.conversations import Conversations
from shopping_bot.deadline import Deadline

from emulator.backing_services.valkey import Valkey
from emulator.processes.ports import free_port
from tests.integration.shopbot_function.conftest import PASSWORD
from tests.integration.shopbot_function.proxy import Proxy
from tests.unit.shopbot_function.fakes import session_ids


def use(connection: RedisConnection, seconds: float = 10) -> None:
    """Write and read a conversation of a new session."""
    conversations, session_id = Conversations(connection, ttl_seconds=60), session_ids().new("u1")
    asked = history.customer_entry("hi")
    token = conversations.begin(session_id, asked, Deadline(seconds)).token
    assert token is not None
    assert conversations.finish(session_id, token, asked, {"role": "assistant", "to": asked["id"]}, Deadline(seconds))
    assert len(conversations.entries(session_id, Deadline(seconds))) == 2


@contextlib.contextmanager
def servers(folder: Path, *settings: Sequence[str]) -> Iterator[list[Valkey]]:
    """Run a server with each of the `settings`."""
    with asyncio.Runner() as runner:
        running: list[Valkey] = []
        try:
            for number, lines in enumerate(settings):
                running.append(Valkey(log=folder / f"{number}.log", port=free_port(), settings=lines))
                runner.run(running[-1].start())
            yield running
        finally:
            for valkey in running:
                runner.run(valkey.stop())


def client(valkey: Valkey) -> redis_client.Redis:
    return redis_client.Redis(host=valkey.host, port=valkey.port, decode_responses=True)


def command(asking: redis_client.Redis, *words: str | int) -> Any:
    return asking.execute_command(*words)  # type: ignore[no-untyped-call]


def eventually(is_so: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("first", ["old", "", PASSWORD])
def test_a_rotated_password_is_read_anew(connect: Callable[..., RedisConnection], first: str) -> None:
    use(connect([first, PASSWORD]))


@pytest.mark.parametrize("password", [f"{PASSWORD}\n", f" {PASSWORD}"])
def test_white_space_around_a_password_is_no_part_of_it(connect: Callable[..., RedisConnection], password: str) -> None:
    use(connect([password]))


def test_a_wrong_password_is_down(connect: Callable[..., RedisConnection]) -> None:
    connection = connect(["wrong"])

    for _ in range(2):
        with pytest.raises(BackingServiceError, match="redis") as down:
            use(connection)
        assert "wrong" not in str(down.value)


def test_a_password_that_is_no_text_is_named(connect: Callable[..., RedisConnection]) -> None:
    with pytest.raises(BackingServiceError, match="REDIS_PASSWORD holds half of a surrogate pair"):
        use(connect(["\ud800"]))


def test_a_redis_that_refuses_is_down_at_once(connect: Callable[..., RedisConnection]) -> None:
    started = time.monotonic()

    with pytest.raises(BackingServiceError, match="redis"):
        use(connect(port=free_port()), 60)
    assert time.monotonic() - started < 30


def test_a_redis_that_is_silent_is_down_soon(connect: Callable[..., RedisConnection]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(BackingServiceError, match="redis"):
            use(connect(port=silent.getsockname()[1]), 60)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("seconds", [0.1, 2.6])
def test_what_the_deadline_leaves_no_time_for_is_not_begun(
    connect: Callable[..., RedisConnection], seconds: float
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        with pytest.raises(
            BackingServiceError, match="redis: there is no time left for it" if seconds < 1 else "redis"
        ):
            use(connect(port=silent.getsockname()[1]), seconds)
        begun = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                begun += 1
    assert begun == (0 if seconds < 1 else 1)  # one try takes at most 2.5 seconds


def test_a_redis_without_tls_is_down_for_a_client_with_it(connect: Callable[..., RedisConnection]) -> None:
    with pytest.raises(BackingServiceError, match="redis"):
        use(connect(tls=True))


def test_no_host_is_down(connect: Callable[..., RedisConnection]) -> None:
    with pytest.raises(BackingServiceError, match="REDIS_HOST is not set"):
        use(connect(host=""))


def test_it_recovers_by_itself(connect: Callable[..., RedisConnection], tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        valkey = Valkey(log=tmp_path / "one.log")
        runner.run(valkey.start())
        connection = connect([""], port=valkey.port)
        use(connection)
        runner.run(valkey.stop())
        with pytest.raises(BackingServiceError):
            use(connection)

        again = Valkey(log=tmp_path / "two.log", port=valkey.port)
        runner.run(again.start())
        use(connection)
        runner.run(again.stop())


def test_connections_that_died_while_frozen_are_replaced(
    connect: Callable[..., RedisConnection], redis_server: Valkey
) -> None:
    with Proxy(redis_server.host, redis_server.port) as proxy:
        connection = connect(port=proxy.port)
        use(connection)
        proxy.drop()

        use(connection)


def test_one_slow_answer_does_not_fail_the_call(connect: Callable[..., RedisConnection], redis_server: Valkey) -> None:
    with Proxy(redis_server.host, redis_server.port) as proxy:
        connection = connect(port=proxy.port)
        use(connection)
        proxy.swallow_next_answer()

        use(connection)


class TestFailoverOfTwo:
    """The address leads to another server after a failover; connections that are open do not."""

    @pytest.fixture
    def pair(self, tmp_path: Path) -> Iterator[tuple[Valkey, Valkey]]:
        settings = ("repl-diskless-sync-delay 0", "repl-ping-replica-period 1")
        with servers(tmp_path, settings, settings) as (first, second):
            self.follow(second, first)
            yield first, second

    @staticmethod
    def follow(replica: Valkey, primary: Valkey) -> None:
        with client(replica) as asking:
            command(asking, "REPLICAOF", primary.host, primary.port)
            eventually(lambda: asking.info("replication")["master_link_status"] == "up")

    def fail_over(self, address: Proxy, pair: tuple[Valkey, Valkey]) -> None:
        first, second = pair
        with client(second) as promoted:
            command(promoted, "REPLICAOF", "NO", "ONE")
        self.follow(first, second)
        address.target = (second.host, second.port)

    def test_the_next_message_is_written_to_the_new_primary(
        self, connect: Callable[..., RedisConnection], pair: tuple[Valkey, Valkey]
    ) -> None:
        with Proxy(pair[0].host, pair[0].port) as address:
            connection = connect([""], port=address.port)
            use(connection)

            self.fail_over(address, pair)

            use(connection)
            connection.prove_write(Deadline(5))

    def test_readiness_is_not_content_with_a_replica(
        self, connect: Callable[..., RedisConnection], pair: tuple[Valkey, Valkey]
    ) -> None:
        replica = connect([""], port=pair[1].port)

        with pytest.raises(BackingServiceError, match="ReadOnlyError"):
            replica.prove_write(Deadline(5))

    def test_a_replica_without_its_primary_is_down_and_recovers(
        self, connect: Callable[..., RedisConnection], pair: tuple[Valkey, Valkey]
    ) -> None:
        replica = pair[1]
        with client(replica) as asking:
            asking.config_set("replica-serve-stale-data", "no")
            command(asking, "REPLICAOF", replica.host, free_port())
            connection = connect([""], port=replica.port)
            with pytest.raises(BackingServiceError, match=r"MasterDownError|ReadOnlyError"):
                use(connection)

            command(asking, "REPLICAOF", "NO", "ONE")
            use(connection)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Valkey]]:
    """Run a cluster of three, each with a third of the sessions."""
    buses = [free_port() for _ in range(3)]
    settings = ("cluster-enabled yes", "cluster-require-full-coverage no", "cluster-node-timeout 2000")
    each = [(*settings, f"cluster-port {bus}") for bus in buses]
    with servers(tmp_path_factory.mktemp("cluster"), *each) as nodes:
        for number, node in enumerate(nodes):
            with client(node) as asking:
                slots = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
                command(asking, "CLUSTER", "ADDSLOTSRANGE", *slots)
                command(asking, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
                command(asking, "CLUSTER", "MEET", nodes[0].host, nodes[0].port, buses[0])
        eventually(lambda: all(map(knows_all, nodes)))
        yield nodes


def knows_all(node: Valkey) -> bool:
    with client(node) as asking:
        told: Any = command(asking, "CLUSTER", "INFO")
    state = told if isinstance(told, dict) else dict(line.split(":") for line in told.splitlines())
    return bool(state["cluster_state"] == "ok" and state["cluster_slots_assigned"] == "16384")


def test_every_session_finds_its_server_of_a_cluster(
    connect: Callable[..., RedisConnection], cluster: list[Valkey]
) -> None:
    connection = connect([""], port=cluster[0].port, cluster=True)

    for _ in range(30):
        use(connection)
    for _ in range(10):
        connection.prove_write(Deadline(10))

    with contextlib.ExitStack() as stack:
        sizes = [stack.enter_context(client(node)).dbsize() for node in cluster]
    assert all(sizes), "every node has some of them"


def test_a_cluster_without_the_setting_says_which_one_is_missing(
    connect: Callable[..., RedisConnection], cluster: list[Valkey]
) -> None:
    connection = connect([""], port=cluster[0].port)

    def use_many() -> None:
        for _ in range(30):
            use(connection)

    with pytest.raises(BackingServiceError, match="RedisCluster"):
        use_many()


def test_the_sessions_of_a_cluster_go_on_without_one_of_its_servers(
    connect: Callable[..., RedisConnection], cluster: list[Valkey]
) -> None:
    connection = connect([""], port=cluster[0].port, cluster=True)
    use(connection)
    with client(cluster[0]) as stopping, contextlib.suppress(redis_client.ConnectionError):
        command(stopping, "SHUTDOWN", "NOSAVE")

    worked = 0
    for _ in range(30):
        with contextlib.suppress(BackingServiceError):
            use(connection)
            worked += 1
    assert worked >= 10
