"""The API key that writes need, from the JSON secret; rotation needs no deployment."""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Callable

from fastapi import Request

from app import clients
from app.config import is_api_key_required, settings
from app.problem import Problem, unavailable
from app.retries import FOLLOW_UP_BUDGET_SECONDS, attempt

MEMBER = "INVENTORY_API_KEY"
LIFETIME_SECONDS = 300.0
# A flood of wrong keys costs Secrets Manager one call in this time, and so does a failing Secrets Manager.
REFETCH_SECONDS = 15.0


class ApiKey:
    """The current key, cached; fetched again when it is old, and once more when a client shows another one."""

    def __init__(self, fetch: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._key: str | None = None
        self._fetched_at = 0.0
        self._tried_at: float | None = None

    def check(self, given: str | None) -> None:
        """Return when `given` is the key. Raises Problem 401 when it is not, 503 when the key cannot be had."""
        if not given:
            raise _unauthorized("Send the shop's key in the x-api-key header.")
        key = self._current(LIFETIME_SECONDS)
        if not _equal(given, key):
            # Perhaps it was rotated after the last fetch.
            key = self._current(REFETCH_SECONDS)
            if not _equal(given, key):
                raise _unauthorized("The key in x-api-key is not the shop's key; check it, or ask for the current one.")

    def _current(self, lifetime: float) -> str:
        with self._lock:
            now = self._clock()
            is_fresh = self._key is not None and now - self._fetched_at < lifetime
            may_try = self._tried_at is None or now - self._tried_at >= REFETCH_SECONDS
            if not is_fresh and may_try:
                self._tried_at = now
                self._refresh(now)
            if self._key is None:
                raise _missing()
            return self._key

    def _refresh(self, now: float) -> None:
        try:
            self._key = self._fetch()
            self._fetched_at = now
        except Exception:
            # The last key stays good while Secrets Manager is away; without one there is nothing to go on.
            from app.observability import logger

            logger.exception("The API key could not be read")


def read_secret() -> str:
    """Return the key from SECRETS_MANAGER_SECRET. Raises ValueError when it holds none, and botocore's errors."""
    secret = attempt(
        lambda: clients.secretsmanager().get_secret_value(SecretId=settings().secrets_manager_secret),
        repeatable=True,
        budget=FOLLOW_UP_BUDGET_SECONDS,
    )
    try:
        members = json.loads(secret.get("SecretString", ""))
    except json.JSONDecodeError:
        # Without the cause: its text would carry the secret into the log.
        raise ValueError("The secret is not JSON") from None
    key = members.get(MEMBER) if isinstance(members, dict) else None
    if not isinstance(key, str) or not key:
        raise ValueError(f"The secret has no {MEMBER}")
    return key


api_key = ApiKey(read_secret)


def require_api_key(request: Request) -> None:
    """Let the request pass when it carries the key, or when none is required. Raises Problem 401, 503."""
    if is_api_key_required():
        api_key.check(request.headers.get("x-api-key"))


def _equal(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), key.encode())


def _unauthorized(detail: str) -> Problem:
    # RFC 9110 section 11.6.1 wants a challenge with each 401.
    return Problem(401, detail, headers={"WWW-Authenticate": 'ApiKey realm="inventory"'})


def _missing() -> Problem:
    return unavailable(
        f"The service cannot read {MEMBER} from its secret, so no write is possible; tell whoever runs it."
    )
