"""Keys from one JSON secret of Secrets Manager: read at the first need, cached, and read anew after a refusal.

Rotation needs no deployment: a key that a backing service, or a client, no longer takes is read anew at once.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

LIFETIME_SECONDS = 300.0
"""The secret is read again after this time; a key that was rotated out is good for so long at most."""
REFETCH_SECONDS = 15.0
"""Refused keys cost Secrets Manager one call in this time."""
FAILURE_SECONDS = 1.0
"""While the secret cannot be read, Secrets Manager is asked once in this time."""

# What a header may carry besides (obs-text) has no encoding that both sides agree on (RFC 9110 section 5.5).
_HEADER_TEXT = re.compile(r"[\x20-\x7e]*")


class SecretError(Exception):
    """A key cannot be had, is not set, cannot be used, or is refused. It tells the key's name and never its value.

    `may_pass` says that trying again can help.
    """

    def __init__(self, key: str, reason: str, *, may_pass: bool = False) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key
        self.reason = reason
        self.may_pass = may_pass


class MalformedSecretError(Exception):
    """The secret can be read, but is not a JSON object."""


class JsonSecret:
    """The members of a secret, shared by all threads of an execution environment.

    `read` returns the members and raises when it cannot, such as `lambda: read_secret(name)`. `on_failure` gets what it
    raised, to log it. `clock` is in seconds.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Any]],
        on_failure: Callable[[Exception], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_members = read
        self._on_failure = on_failure
        self._clock = clock
        self._lock = threading.Lock()
        self._members: Mapping[str, Any] | None = None
        self._is_malformed = False
        self._fresh_until = 0.0
        self._refetch_from = 0.0

    def get(self, key: str) -> str:
        """Return the value of `key` without white space around it, "" when the secret leaves it out or empty.

        Raises SecretError when the secret cannot be read, or `key` is no text in it.
        """
        with self._lock:
            if self._clock() >= self._fresh_until:
                self._read()
            return self._value(key)

    def require(self, key: str) -> str:
        """Return the value of `key`. Raises SecretError when it is empty, and what `get` raises."""
        value = self.get(key)
        if not value:
            raise SecretError(key, "is not set")
        return value

    def require_for_header(self, key: str) -> str:
        """Return the value of `key`, of printable ASCII. Raises SecretError for another, and what `require` raises."""
        value = self.require(key)
        if not _HEADER_TEXT.fullmatch(value):
            raise SecretError(key, "holds a character that no HTTP header can carry")
        return value

    def after_refusal(self, key: str, refused: str) -> str | None:
        """Return another value of `key` than the one that was `refused`; None when there is none.

        The secret is read anew, at most once in REFETCH_SECONDS. Raises what `get` raises.
        """
        with self._lock:
            if self._members is not None and self._value(key) == refused and self._clock() >= self._refetch_from:
                self._refetch_from = self._clock() + REFETCH_SECONDS
                self._read()
            value = self._value(key)
            return value if value and value != refused else None

    def _read(self) -> None:
        try:
            self._members = self._read_members()
            self._fresh_until = self._clock() + LIFETIME_SECONDS
        except Exception as error:
            self._on_failure(error)
            self._is_malformed = isinstance(error, MalformedSecretError)
            # The last values stay good while Secrets Manager is away. Without any, a request asks once and not for each
            # key; the next request asks again.
            self._fresh_until = self._clock() + (FAILURE_SECONDS if self._members is None else REFETCH_SECONDS)

    def _value(self, key: str) -> str:
        if self._members is None and self._is_malformed:
            raise SecretError(key, "cannot be had: the secret is not a JSON object of texts")
        if self._members is None:
            raise SecretError(key, "cannot be read from Secrets Manager", may_pass=True)
        value = self._members.get(key, "")
        if not isinstance(value, str):
            raise SecretError(key, "is not a text in the secret")
        value = value.strip()
        try:
            value.encode()
        except UnicodeEncodeError:
            raise SecretError(key, "holds half of a surrogate pair") from None
        return value


def read_secret(secret: str, *, previous: bool = False) -> Mapping[str, Any]:
    """Return the members of the JSON secret with the name or ARN `secret`, from Secrets Manager.

    `previous` asks for the version before the last change, which there may not be.
    Raises MalformedSecretError, which never quotes the secret, and botocore's errors.
    """
    from lambda_http import aws_clients

    version: Any = {"VersionStage": "AWSPREVIOUS"} if previous else {}
    answer = aws_clients.secretsmanager().get_secret_value(SecretId=secret, **version)
    try:
        # A secret that is binary has no SecretString (AWS Secrets Manager API Reference, "GetSecretValue").
        members = json.loads(answer.get("SecretString", "").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise MalformedSecretError
    return members
