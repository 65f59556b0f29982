"""What one request cost, gathered where it happens and written out once (shopping_bot.observability)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple


class BackingServiceCall(NamedTuple):
    """One call to a backing service; `started` is in seconds since the epoch."""

    backing_service: str
    started: float
    seconds: float
    failed: bool


@dataclass
class RequestMetrics:
    """Counts and times of one request. Its members only grow, so threads of the request may share it."""

    calls: list[BackingServiceCall] = field(default_factory=list)
    tool_calls: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    failed_completions: Counter[str] = field(default_factory=Counter)
    degraded: set[str] = field(default_factory=set)


_current: ContextVar[RequestMetrics | None] = ContextVar("metrics", default=None)


def begin() -> RequestMetrics:
    """Start the metrics of a request in this context and return it."""
    metrics = RequestMetrics()
    _current.set(metrics)
    return metrics


def current() -> RequestMetrics:
    """Return the metrics of the request; one that nobody reads outside of a request."""
    return _current.get() or RequestMetrics()


@contextmanager
def backing_service(name: str) -> Iterator[None]:
    """Time a call to the backing service `name`, whether it succeeds or not."""
    started, counter = time.time(), time.perf_counter()
    failed = True
    try:
        yield
        failed = False
    finally:
        current().calls.append(BackingServiceCall(name, started, time.perf_counter() - counter, failed))
