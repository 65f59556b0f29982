"""Who may call: the key, the version header and the rate limit.

Source: Claude Platform documentation, "API overview" (Authentication), "Versions" and "Rate limits" (Response headers).
"""

from __future__ import annotations

import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from emulator.backing_services.anthropic.errors import ApiError, invalid

VERSIONS: Final = ("2023-06-01", "2026-10-21")
REFUSED_KEY_PREFIX: Final = "invalid"
"""A key that begins so is refused even when any other is accepted: a wrong key can be tried without configuring one."""
DEFAULT_REQUESTS_PER_MINUTE: Final = 4000
_MINUTE: Final = 60.0


def authenticate(headers: Mapping[str, str], required_key: str | None) -> str:
    """Return the key of a request. Raises ApiError 401.

    `x-api-key` wins over `Authorization: Bearer`. Without `required_key` every key is good that is neither empty nor
    begins with `invalid`.
    """
    key = headers.get("x-api-key", "").strip()
    refusal = "invalid x-api-key"
    if not key:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key, refusal = (token.strip() if scheme.lower() == "bearer" else ""), "Invalid bearer token"
    if not key:
        raise ApiError(401, "x-api-key header is required")
    if key.startswith(REFUSED_KEY_PREFIX) or (
        required_key is not None and not hmac.compare_digest(key.encode(), required_key.encode())
    ):
        raise ApiError(401, refusal)
    return key


def require_version(headers: Mapping[str, str]) -> None:
    """Raise ApiError 400 when `anthropic-version` is missing or unknown."""
    version = headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')


class RateLimit:
    """At most so many requests in any minute, counted per key."""

    def __init__(
        self, requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = requests_per_minute
        self._clock = clock
        self._admitted: dict[str, deque[float]] = {}

    def admit(self, key: str) -> dict[str, str]:
        """Count a request; return the headers that tell what is left. Raises ApiError 429 with `retry-after`."""
        now = self._clock()
        admitted = self._admitted.setdefault(key, deque())
        while admitted and admitted[0] <= now - _MINUTE:
            admitted.popleft()
        if len(admitted) >= self._limit:
            wait = _MINUTE if not admitted else admitted[0] + _MINUTE - now
            raise ApiError(429, retry_after_seconds=max(1, int(wait + 0.999)))
        admitted.append(now)
        reset = datetime.fromtimestamp(time.time() + admitted[0] + _MINUTE - now, UTC)
        return {
            "anthropic-ratelimit-requests-limit": str(self._limit),
            "anthropic-ratelimit-requests-remaining": str(self._limit - len(admitted)),
            "anthropic-ratelimit-requests-reset": reset.isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
