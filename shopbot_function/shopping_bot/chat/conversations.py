"""Conversations in Redis: one list per session, and one lock while a message of it is being answered.

Each change is one Lua script, so it is atomic and a repetition after a lost answer changes nothing. Both keys of a
session share a hash tag (Redis Cluster specification, "Hash tags").
"""

from __future__ import annotations

import secrets as random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lambda_http import json_text
from lambda_http.json_secret import JsonSecret, SecretError
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

BACKING_SERVICE = "redis"
KEY = "REDIS_PASSWORD"
MAXIMUM_ENTRIES = 60
CONNECT_TIMEOUT_SECONDS = 0.5
READ_TIMEOUT_SECONDS = 1.0

# KEYS: list, lock. ARGV: entry, cap, seconds to live, token, milliseconds of the lock.
_BEGIN = """
if redis.call('LINDEX', KEYS[1], -1) ~= ARGV[1] then
  redis.call('RPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
local holder = redis.call('GET', KEYS[2])
if not holder then
  redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[5])
  holder = ARGV[4]
end
return {holder == ARGV[4] and 1 or 0, redis.call('LRANGE', KEYS[1], 0, -1)}
"""

# KEYS: list, lock. ARGV: entry, cap, seconds to live, token.
_FINISH = """
if redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""

# KEYS: lock. ARGV: token.
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""

# KEYS: list, lock.
_FORGET = """
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
"""


@dataclass(frozen=True)
class Begun:
    """A message that is written down. `token` is the lock's; None when another message is being answered."""

    token: str | None
    entries: list[dict[str, Any]]


class Conversations:
    """All conversations. Every method raises BackingServiceError when Redis cannot be used."""

    def __init__(self, *, host: str, port: int, tls: bool, ttl_seconds: int, secrets: JsonSecret) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._ttl_seconds = ttl_seconds
        self._secrets = secrets
        self._lock = threading.Lock()
        self._connected: tuple[Redis, str] | None = None

    def begin(self, session_id: str, entry: Mapping[str, Any], lock_milliseconds: int) -> Begun:
        """Append `entry`, a customer's message, and take the lock of the session if it is free.

        The lock frees itself after `lock_milliseconds`, so a holder that died does not keep it. The entries include
        the new one.
        """
        token = random.token_hex(16)
        arguments: list[str | int] = [
            json_text.dump(entry),
            MAXIMUM_ENTRIES,
            self._ttl_seconds,
            token,
            lock_milliseconds,
        ]
        got, raw = self._call(lambda redis: redis.eval(_BEGIN, 2, *_keys(session_id), *arguments))
        return Begun(token if got else None, _entries(raw))

    def finish(self, session_id: str, token: str, entry: Mapping[str, Any]) -> bool:
        """Append `entry`, the answer, and free the lock; both only while `token` still holds it.

        It does not when the conversation was forgotten meanwhile: an answer must not bring it back.
        """
        arguments: list[str | int] = [json_text.dump(entry), MAXIMUM_ENTRIES, self._ttl_seconds, token]
        return bool(self._call(lambda redis: redis.eval(_FINISH, 2, *_keys(session_id), *arguments)))

    def release(self, session_id: str, token: str) -> None:
        """Free the lock without an answer, if `token` still holds it."""
        self._call(lambda redis: redis.eval(_RELEASE, 1, _keys(session_id)[1], token))

    def entries(self, session_id: str) -> list[dict[str, Any]]:
        """Return what was said, oldest first; [] when there is no such conversation."""
        return _entries(self._call(lambda redis: redis.lrange(_keys(session_id)[0], 0, -1)))

    def forget(self, session_id: str) -> bool:
        """Delete the conversation and free its lock; tell whether there was one."""
        return bool(self._call(lambda redis: redis.eval(_FORGET, 2, *_keys(session_id))))

    def ping(self) -> None:
        """Return when Redis answers."""
        self._call(lambda redis: redis.ping())

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._lock:
            if self._connected is not None:
                self._connected[0].close()
                self._connected = None

    def _call(self, command: Callable[[Redis], Any]) -> Any:
        from redis.exceptions import AuthenticationError, RedisError

        redis, password = self._client()
        with request_metrics.backing_service(BACKING_SERVICE):
            try:
                try:
                    return command(redis)
                except AuthenticationError:
                    redis, password = self._client(refused=password)
                    return command(redis)
            except (RedisError, OSError) as error:
                # The type alone: a message may quote what was sent.
                raise BackingServiceError(BACKING_SERVICE, type(error).__name__) from error

    def _client(self, refused: str | None = None) -> tuple[Redis, str]:
        with self._lock:
            if refused is not None and self._connected is not None and self._connected[1] == refused:
                self._connected[0].close()
                self._connected = None
            if self._connected is None:
                self._connected = self._connect(refused)
            return self._connected

    def _connect(self, refused: str | None) -> tuple[Redis, str]:
        try:
            password = self._secrets.get(KEY)
            if refused is not None:
                password = self._secrets.after_refusal(KEY, refused) or ""
        except SecretError as error:
            raise BackingServiceError(BACKING_SERVICE, str(error)) from error
        if refused is not None and password in {"", refused}:
            raise BackingServiceError(BACKING_SERVICE, f"{KEY} is refused")
        if not self._host:
            raise BackingServiceError(BACKING_SERVICE, "REDIS_HOST is not set")
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = Redis(
            host=self._host,
            port=self._port,
            password=password or None,
            ssl=self._tls,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=READ_TIMEOUT_SECONDS,
            socket_keepalive=True,
            # Once more at once: a connection that died while the environment was frozen shows only when it is used.
            retry=Retry(NoBackoff(), 1),
        )
        return client, password


def _keys(session_id: str) -> tuple[str, str]:
    return f"shopbot:{{{session_id}}}:entries", f"shopbot:{{{session_id}}}:lock"


def _entries(raw: Any) -> list[dict[str, Any]]:
    entries = (json_text.load(text) for text in raw)
    return [entry for entry in entries if isinstance(entry, dict)]
