"""Throttling by token buckets.

Sources: API Gateway Developer Guide, "Throttle requests to your HTTP APIs for better throughput in API Gateway" and
"Throttle requests to your REST APIs for better throughput in API Gateway": the burst is the size of the bucket, the
rate is how fast it fills.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from emulator.gateway.definition import Rate


class TokenBucket:
    """A bucket of `rate.burst` tokens that fills by `rate.per_second`."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = rate.per_second
        self._size = float(rate.burst)
        self._clock = clock
        self._tokens = self._size
        self._filled_at = clock()

    def take(self) -> bool:
        """Take a token; return False when there is none."""
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Throttle:
    """The buckets of a stage: one for each route with a rate of its own; the others share one of the `default` rate.

    With `is_for_each` each of the others has one of its own, as the methods of REST APIs have: "Per-API, per-stage
    throttling limits are applied at the API method level for a stage".
    """

    def __init__(
        self,
        default: Rate | None,
        routes: Mapping[str, Rate],
        clock: Callable[[], float] = time.monotonic,
        *,
        is_for_each: bool = False,
    ) -> None:
        self._default = default
        self._is_for_each = is_for_each
        self._clock = clock
        self._buckets = {key: TokenBucket(rate, clock) for key, rate in routes.items()}
        self._shared = None if default is None else TokenBucket(default, clock)

    def admits(self, route_key: str) -> bool:
        """Tell whether a request to the route, one of the API's, is admitted, and count it."""
        bucket = self._buckets.get(route_key, self._shared)
        if self._is_for_each and self._default is not None and bucket is self._shared:
            bucket = self._buckets[route_key] = TokenBucket(self._default, self._clock)
        return bucket is None or bucket.take()
