"""Conversations in Redis: one list per session, and one lock while a message of it is being answered.

The lock is a lease: it frees itself LEASE_SECONDS after its holder renewed it last. So whatever becomes of the holder,
or of what it was told, the session is free soon.

Each change is one Lua script, so it is atomic and a repetition after a lost answer changes nothing. Both keys of a
session share a hash tag (Redis Cluster specification, "Hash tags").
"""

from __future__ import annotations

import contextlib
import secrets as random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambda_http import json_text
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.redis import RedisConnection
from shopping_bot.deadline import Deadline

MAXIMUM_ENTRIES = 60
LEASE_SECONDS = 2.0
_RENEWAL_SECONDS = 0.5

# KEYS: list, lock. ARGV: entry, cap, seconds to live, token, milliseconds of the lease.
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

# KEYS: lock. ARGV: token, milliseconds of the lease.
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
"""

# KEYS: list, lock. ARGV: the customer's entry, the answer, cap, seconds to live, token.
# An answer whose message is not there belongs to a conversation that was forgotten: it must not bring it back.
_FINISH = """
if redis.call('GET', KEYS[2]) == ARGV[5] then
  redis.call('DEL', KEYS[2])
end
local is_asked = false
for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if entry == ARGV[2] then
    return 1
  end
  is_asked = is_asked or entry == ARGV[1]
end
if not is_asked then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
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
    """All conversations. Every method raises BackingServiceError when Redis cannot be used before the deadline."""

    def __init__(self, redis: RedisConnection, *, ttl_seconds: int) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds
        self.call_seconds = redis.call_seconds
        """What one try of any method takes at most."""

    def begin(self, session_id: str, entry: Mapping[str, Any], deadline: Deadline) -> Begun:
        """Append `entry`, a customer's message, and take the lock of the session if it is free.

        `lease` must renew it then. The entries include the new one.
        """
        token = random.token_hex(16)
        text = json_text.dump(entry)
        given = (*_keys(session_id), text, MAXIMUM_ENTRIES, self._ttl_seconds, token, _milliseconds(LEASE_SECONDS))
        got, raw = self._redis.call(lambda redis: redis.eval(_BEGIN, 2, *given), deadline)
        return Begun(token if got else None, _entries(raw))

    @contextlib.contextmanager
    def lease(self, session_id: str, token: str, deadline: Deadline) -> Iterator[None]:
        """Keep the lock that `begin` gave until the block ends; free it when the block raises."""
        ended = threading.Event()

        def renew() -> None:
            given = (_keys(session_id)[1], token, _milliseconds(LEASE_SECONDS))
            while not ended.wait(_RENEWAL_SECONDS):
                # The next renewal may do what this one could not.
                with contextlib.suppress(BackingServiceError):
                    self._redis.call(lambda redis: redis.eval(_RENEW, 1, *given), deadline)

        # Outside of the request's context: its metrics count what the request waits for.
        threading.Thread(target=renew, name="lease", daemon=True).start()
        try:
            yield
        except BaseException:
            ended.set()
            with contextlib.suppress(BackingServiceError):
                self._redis.call(lambda redis: redis.eval(_RELEASE, 1, _keys(session_id)[1], token), deadline)
            raise
        finally:
            ended.set()

    def finish(
        self, session_id: str, token: str, asked: Mapping[str, Any], answer: Mapping[str, Any], deadline: Deadline
    ) -> bool:
        """Append `answer`, the entry that answers the entry `asked`, and free the lock if it is still `token`'s.

        Nothing is appended when the conversation was forgotten meanwhile; the result tells.
        """
        texts = (json_text.dump(asked), json_text.dump(answer))
        given = (*_keys(session_id), *texts, MAXIMUM_ENTRIES, self._ttl_seconds, token)
        return bool(self._redis.call(lambda redis: redis.eval(_FINISH, 2, *given), deadline))

    def entries(self, session_id: str, deadline: Deadline) -> list[dict[str, Any]]:
        """Return what was said, oldest first; [] when there is no such conversation."""
        return _entries(self._redis.call(lambda redis: redis.lrange(_keys(session_id)[0], 0, -1), deadline))

    def forget(self, session_id: str, deadline: Deadline) -> bool:
        """Delete the conversation and free its lock; tell whether there was one."""
        return bool(self._redis.call(lambda redis: redis.eval(_FORGET, 2, *_keys(session_id)), deadline))


def _keys(session_id: str) -> tuple[str, str]:
    return f"shopbot:{{{session_id}}}:entries", f"shopbot:{{{session_id}}}:lock"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _entries(raw: Any) -> list[dict[str, Any]]:
    entries = []
    for text in raw:
        # What someone else wrote there is no reason to answer without memory.
        with contextlib.suppress(ValueError):
            entries.append(json_text.load(text))
    return [entry for entry in entries if isinstance(entry, dict)]
