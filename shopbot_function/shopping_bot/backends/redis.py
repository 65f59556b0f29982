"""The connection to Redis or Valkey: one client for each execution environment, for a single server or for a cluster.

After a failover the connection that is open leads to a server that takes no writes any more. What answers so is
dropped, and the command is sent once more over a new connection, whose address is looked up anew. Every command must
therefore be one that may run twice.

Source: Redis documentation, "Client guidelines for failover", "Redis cluster specification" (MOVED, Hash tags);
valkey.conf and its errors READONLY, LOADING, MASTERDOWN and CLUSTERDOWN.
"""

from __future__ import annotations

import secrets as random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lambda_http.json_secret import JsonSecret, SecretError
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.deadline import Deadline

if TYPE_CHECKING:
    from redis import Redis

BACKING_SERVICE = "redis"
KEY = "REDIS_PASSWORD"
CONNECT_TIMEOUT_SECONDS = 0.5
READ_TIMEOUT_SECONDS = 1.0
_TRIES = 2
_PROBE_SECONDS = 10
# What a server answers that was the primary, or is about to be one. Old ones answer it inside of a script's error.
_NOT_NOW = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN")


class RedisConnection:
    """Redis at `host`, whose password is in `secrets`. With `cluster` it is a node, or the address of all nodes."""

    def __init__(self, *, host: str, port: int, tls: bool, cluster: bool, secrets: JsonSecret) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._cluster = cluster
        self._secrets = secrets
        self._lock = threading.Lock()
        self._connected: tuple[Redis, str] | None = None
        self._known_nodes: list[tuple[str, int]] = []
        # To connect, give the password and send the command. A cluster may have to be asked where a session is.
        self.call_seconds = (CONNECT_TIMEOUT_SECONDS + 2 * READ_TIMEOUT_SECONDS) * (2 if cluster else 1)
        """What one try of a command takes at most."""

    def call(self, command: Callable[[Redis], Any], deadline: Deadline) -> Any:
        """Return what `command` returns for a client. Raises BackingServiceError when Redis cannot be used in time."""
        from redis.exceptions import AuthenticationError, RedisError

        refused: str | None = None
        with request_metrics.backing_service(BACKING_SERVICE):
            for tries_left in reversed(range(_TRIES)):
                if not deadline.has(self.call_seconds):
                    raise BackingServiceError(BACKING_SERVICE, "there is no time left for it")
                password = ""
                try:
                    client, password = self._client(refused)
                    return command(client)
                except (RedisError, OSError) as error:
                    self._drop(password)
                    is_refusal = isinstance(error, AuthenticationError)
                    if tries_left == 0 or not (is_refusal or _may_recover(error)):
                        raise BackingServiceError(BACKING_SERVICE, self._reason(error)) from error
                    refused = password if is_refusal else None
        raise AssertionError("unreachable")

    def prove_write(self, deadline: Deadline) -> None:
        """Return when Redis took a write. Raises BackingServiceError."""
        # Another key each time: in a cluster it proves another server.
        key = f"shopbot:{{probe-{random.token_hex(4)}}}"
        self.call(lambda client: client.set(key, "1", ex=_PROBE_SECONDS), deadline)

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._lock:
            if self._connected is not None:
                self._connected[0].close()
                self._connected = None

    def _drop(self, password: str) -> None:
        """Drop the client, so that the next one looks its address up anew."""
        with self._lock:
            if self._connected is not None and self._connected[1] == password:
                client: Any = self._connected[0]
                if self._cluster:
                    self._known_nodes = [(node.host, node.port) for node in client.get_nodes()]
                client.close()
                self._connected = None

    def _client(self, refused: str | None) -> tuple[Redis, str]:
        with self._lock:
            if self._connected is None:
                password = self._password(refused)
                self._connected = self._connect(password), password
            return self._connected

    def _password(self, refused: str | None) -> str:
        try:
            if refused is None:
                return self._secrets.get(KEY)
            another = self._secrets.after_refusal(KEY, refused)
        except SecretError as error:
            raise BackingServiceError(BACKING_SERVICE, str(error)) from error
        if another is None:
            raise BackingServiceError(BACKING_SERVICE, f"{KEY} is refused")
        return another

    def _connect(self, password: str) -> Redis:
        if not self._host:
            raise BackingServiceError(BACKING_SERVICE, "REDIS_HOST is not set")
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        settings: dict[str, Any] = {
            "password": password or None,
            "ssl": self._tls,
            "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "socket_timeout": READ_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            # A new connection is one exchange, the password's, and no introductions that each take their time.
            "protocol": 2,
            "driver_info": None,
            # Tries are counted above, where the deadline is known. But a cluster's client asks one node where the
            # others are, and must be able to ask a second.
            "retry": Retry(NoBackoff(), int(self._cluster)),
        }
        if not self._cluster:
            from redis import Redis

            return Redis(host=self._host, port=self._port, **settings)
        from redis.cluster import ClusterNode, RedisCluster

        # The node that REDIS_HOST names may be the one that is gone.
        nodes = [
            ClusterNode(host, port)  # type: ignore[no-untyped-call]
            for host, port in dict.fromkeys([(self._host, self._port), *self._known_nodes])
        ]
        # Without full coverage: the sessions of the other nodes go on while one is gone.
        cluster: Any = RedisCluster(startup_nodes=nodes, require_full_coverage=False, **settings)
        client: Redis = cluster
        return client

    def _reason(self, error: Exception) -> str:
        from redis.exceptions import MovedError

        if isinstance(error, MovedError) and not self._cluster:
            return "it is a cluster; set the parameter RedisCluster"
        # The type alone: a message may quote what was sent.
        return type(error).__name__


def _may_recover(error: Exception) -> bool:
    """Tell whether a new connection may do what this one could not."""
    from redis.exceptions import ClusterDownError, ReadOnlyError, RedisClusterException, ResponseError
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    if isinstance(error, ResponseError):
        # MasterDownError is a ClusterDownError; LOADING is a ConnectionError.
        return isinstance(error, (ReadOnlyError, ClusterDownError)) or any(word in str(error) for word in _NOT_NOW)
    return isinstance(error, (RedisConnectionError, RedisTimeoutError, RedisClusterException, OSError))
