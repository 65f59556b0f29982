"""What is counted of one function, whoever invokes it and however often its environments are replaced."""

from __future__ import annotations

from emulator.metrics.histogram import Histogram


class FunctionMetrics:
    """Counts inits and invocations. All durations are ms, as in the REPORT line; `peak_memory` is bytes."""

    __slots__ = ("billed_ms", "errors", "failed_inits", "inits", "invocations", "peak_memory", "timeouts", "warm")

    def __init__(self) -> None:
        self.inits = Histogram()
        self.failed_inits = 0
        self.invocations = 0
        self.errors = 0
        self.timeouts = 0
        """Of the errors, those of invocations that took too long."""
        self.warm = Histogram()
        """The invocations that are not the first of their environment."""
        self.billed_ms = 0
        self.peak_memory = 0

    def invoked(
        self, duration_ms: float, billed_ms: int, peak_memory: int, *, is_first: bool, is_error: bool, is_timeout: bool
    ) -> None:
        """Count an invocation that has ended."""
        self.invocations += 1
        self.billed_ms += billed_ms
        if peak_memory > self.peak_memory:
            self.peak_memory = peak_memory
        if is_error:
            self.errors += 1
            self.timeouts += is_timeout
        elif not is_first:
            self.warm.add(duration_ms)
