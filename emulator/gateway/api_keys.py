"""API keys and usage plans of REST APIs.

Source: API Gateway Developer Guide, "Usage plans and API keys for REST APIs in API Gateway" and "Choose an API key
source". A key is of use only through a plan that has both it and the stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from emulator.gateway.definition import UsagePlan
from emulator.gateway.throttling import TokenBucket

_PERIOD_SECONDS = {"DAY": 86_400, "WEEK": 7 * 86_400, "MONTH": 30 * 86_400}


class Use(Enum):
    """What comes of a request's key."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    THROTTLED = "throttled"
    USED_UP = "used up"


@dataclass
class Client:
    """One key in one plan: its bucket and its use of the quota, whichever API of the plan is asked."""

    name: str
    bucket: TokenBucket | None
    period_began: float
    used: int = 0


Clients = dict[tuple[str, str], Client]
"""By the names of plans and the values of keys. The APIs of a plan share them: "Throttling and quota limits apply to
requests for individual API keys that are aggregated across all API stages within a usage plan"."""


@dataclass(frozen=True)
class _Permitted:
    """A client at a stage of one API, with the buckets of the methods that have a rate of their own."""

    client: Client
    plan: UsagePlan
    methods: Mapping[str, TokenBucket]


class ApiKeys:
    """The keys that are of use for the stages of one API. Those of its plans are added to `clients`."""

    def __init__(
        self, plans: Iterable[UsagePlan], clients: Clients, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._permitted: dict[tuple[str, str], _Permitted] = {}
        for plan in plans:
            for value, name in plan.keys.items():
                bucket = None if plan.rate is None else TokenBucket(plan.rate, clock)
                client = clients.setdefault((plan.name, value), Client(name, bucket, period_began=clock()))
                methods = {key: TokenBucket(rate, clock) for key, rate in plan.method_rates.items()}
                for stage in plan.stages:
                    self._permitted.setdefault((stage, value), _Permitted(client, plan, methods))

    def use(self, key: str, stage: str, route_key: str) -> tuple[Use, str]:
        """Count a request with `key`; return what comes of it, and the key's name."""
        permitted = self._permitted.get((stage, key))
        if permitted is None:
            return Use.UNKNOWN, ""
        client = permitted.client
        bucket = permitted.methods.get(route_key, client.bucket)
        if bucket is not None and not bucket.take():
            return Use.THROTTLED, client.name
        return (Use.ADMITTED if self._within_quota(client, permitted.plan) else Use.USED_UP), client.name

    def _within_quota(self, client: Client, plan: UsagePlan) -> bool:
        if plan.quota is None:
            return True
        now = self._clock()
        if now - client.period_began >= _PERIOD_SECONDS.get(plan.period, 86_400):
            client.period_began, client.used = now, 0
        client.used += 1
        return client.used <= plan.quota
