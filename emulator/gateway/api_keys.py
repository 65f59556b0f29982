"""API keys and usage plans of REST APIs.

Source: API Gateway Developer Guide, "Usage plans and API keys for REST APIs in API Gateway" and "Choose an API key
source". A key is of use only through a plan that has both it and the stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from emulator.gateway.definition import Rate, UsagePlan
from emulator.gateway.throttling import TokenBucket

_PERIOD_SECONDS = {"DAY": 86_400, "WEEK": 7 * 86_400, "MONTH": 30 * 86_400}


class Use(Enum):
    """What comes of a request's key."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    THROTTLED = "throttled"
    USED_UP = "used up"


@dataclass
class _Client:
    """One key in one plan: its buckets, the ones of methods with a rate of their own, and its use of the quota."""

    name: str
    plan: UsagePlan
    bucket: TokenBucket | None
    methods: dict[str, TokenBucket]
    used: int = 0
    period_began: float = 0.0


class ApiKeys:
    """The keys that are of use for the stages of one API."""

    def __init__(self, plans: Iterable[UsagePlan], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._clients: dict[tuple[str, str], _Client] = {}
        for plan in plans:
            for value, name in plan.keys.items():
                client = _Client(name, plan, self._bucket(plan.rate), {}, period_began=clock())
                client.methods = {key: TokenBucket(rate, clock) for key, rate in plan.method_rates.items()}
                for stage in plan.stages:
                    self._clients.setdefault((stage, value), client)

    def use(self, key: str, stage: str, route_key: str) -> tuple[Use, str]:
        """Count a request with `key`; return what comes of it, and the key's name."""
        client = self._clients.get((stage, key))
        if client is None:
            return Use.UNKNOWN, ""
        bucket = client.methods.get(route_key, client.bucket)
        if bucket is not None and not bucket.take():
            return Use.THROTTLED, client.name
        return (Use.ADMITTED if self._within_quota(client) else Use.USED_UP), client.name

    def _within_quota(self, client: _Client) -> bool:
        if client.plan.quota is None:
            return True
        now = self._clock()
        if now - client.period_began >= _PERIOD_SECONDS.get(client.plan.period, 86_400):
            client.period_began, client.used = now, 0
        client.used += 1
        return client.used <= client.plan.quota

    def _bucket(self, rate: Rate | None) -> TokenBucket | None:
        return None if rate is None else TokenBucket(rate, self._clock)
