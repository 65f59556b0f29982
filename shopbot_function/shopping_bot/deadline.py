"""How long a request may still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

# API Gateway gives up after 30 s for an HTTP API, 29 s for a REST API (Amazon API Gateway Developer Guide, "Quotas").
LONGEST_ANSWER_SECONDS = 28.0
# What building and sending the answer may take after the last backing service has answered.
MARGIN_SECONDS = 2.0


class Deadline:
    """A point in time; `seconds` from now."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    @classmethod
    def from_context(
        cls, context: Any, *, margin_seconds: float = MARGIN_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> Self:
        """Return the deadline of the invocation that the Lambda `context` describes, less the margin.

        Outside Lambda (`context` is None) API Gateway's limit alone counts.
        """
        seconds = LONGEST_ANSWER_SECONDS
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        if callable(remaining):
            seconds = min(seconds, remaining() / 1000)
        return cls(seconds - margin_seconds, clock=clock)

    def remaining(self) -> float:
        """Return the seconds left; 0.0 when there are none."""
        return max(0.0, self._end - self._clock())

    def has(self, seconds: float) -> bool:
        """Tell whether at least `seconds` are left."""
        return self.remaining() >= seconds

    def timeout(self, at_most: float) -> float:
        """Return the seconds that a call may take: `at_most`, less when the deadline is nearer."""
        # Zero would mean "do not block" to a socket, and an error of another kind.
        return max(0.01, min(at_most, self.remaining()))

    def within(self, seconds: float) -> Deadline:
        """Return the nearer of this deadline and one in `seconds`."""
        return Deadline(min(seconds, self.remaining()), clock=self._clock)

    def earlier(self, seconds: float) -> Deadline:
        """Return the deadline `seconds` before this one."""
        return Deadline(self.remaining() - seconds, clock=self._clock)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def begin(context: Any) -> None:
    """Let `current` return the deadline of the invocation that the Lambda `context` describes."""
    _current.set(Deadline.from_context(context))


def end() -> None:
    """Forget the deadline that `begin` set."""
    _current.set(None)


def current() -> Deadline:
    """Return the deadline of the request; outside of one, that of a request which begins now."""
    return _current.get() or Deadline.from_context(None)
