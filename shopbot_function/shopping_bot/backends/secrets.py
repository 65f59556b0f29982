"""The backing services' keys, from one JSON secret: read at the first need, cached, and read anew after a refusal."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from shopping_bot import request_metrics

BACKING_SERVICE = "secretsmanager"
LIFETIME_SECONDS = 300.0
# A backing service that keeps refusing costs Secrets Manager one call in this time, and so does a failing Secrets
# Manager.
REFETCH_SECONDS = 15.0
FAILURE_SECONDS = 1.0


class SecretError(Exception):
    """A key cannot be had, is not set, or a backing service refuses it.

    Only its name is known here, never its value.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key
        self.reason = reason


class Secrets:
    """The members of the secret; `fetch` reads them and raises when it cannot."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._members: Mapping[str, Any] | None = None
        self._fresh_until = 0.0
        self._refetch_from = 0.0

    def get(self, key: str) -> str:
        """Return the value of `key`, "" when the secret leaves it empty. Raises SecretError when it cannot be read."""
        with self._lock:
            if self._clock() >= self._fresh_until:
                self._read()
            return self._value(key)

    def require(self, key: str) -> str:
        """Return the value of `key`. Raises SecretError when it is empty or cannot be read."""
        value = self.get(key)
        if not value:
            raise SecretError(key, "is not set")
        return value

    def after_refusal(self, key: str, refused: str) -> str | None:
        """Return another value of `key` than the one a backing service `refused`; None when there is none.

        The secret is read anew, at most once in REFETCH_SECONDS.
        """
        with self._lock:
            if self._members is not None and self._value(key) == refused and self._clock() >= self._refetch_from:
                self._refetch_from = self._clock() + REFETCH_SECONDS
                self._read()
            value = self._value(key)
            return value if value and value != refused else None

    def _read(self) -> None:
        try:
            with request_metrics.backing_service(BACKING_SERVICE):
                self._members = self._fetch()
            self._fresh_until = self._clock() + LIFETIME_SECONDS
        except Exception as error:
            from shopping_bot.observability import log_failure

            # The last values stay good while Secrets Manager is away.
            log_failure("The secret could not be read", error)
            now = self._clock()
            # Without any, a request asks once and not for each key; the next request asks again.
            self._fresh_until = now + (FAILURE_SECONDS if self._members is None else REFETCH_SECONDS)

    def _value(self, key: str) -> str:
        if self._members is None:
            raise SecretError(key, "cannot be read from Secrets Manager")
        value = self._members.get(key, "")
        return value if isinstance(value, str) else ""


def read_secret(secret: str) -> Mapping[str, Any]:
    """Return the members of the JSON secret (its name or ARN).

    Raises ValueError when it is not JSON, TypeError when it is no object, and botocore's errors.
    """
    from shopping_bot import clients

    text = clients.secretsmanager().get_secret_value(SecretId=secret).get("SecretString", "")
    try:
        members = json.loads(text)
    except json.JSONDecodeError:
        # Without the cause: its text would carry the secret into the log.
        raise ValueError("The secret is not JSON") from None
    if not isinstance(members, dict):
        raise TypeError("The secret is no JSON object")
    return members
