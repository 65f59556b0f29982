"""Whether this machine's processors have time to spare."""

from __future__ import annotations

import psutil

_FULL = 0.9
_SHORTEST_WINDOW_SECONDS = 0.02


class ProcessorLoad:
    """The share of the processors' time that was used since the question before."""

    def __init__(self) -> None:
        self._total, self._idle = _times()
        self._is_full = False

    def is_full(self) -> bool:
        """Tell whether nine tenths were used; asked again at once, the answer is the same."""
        total, idle = _times()
        passed = total - self._total
        if passed > _SHORTEST_WINDOW_SECONDS:
            self._is_full = (passed - (idle - self._idle)) / passed >= _FULL
            self._total, self._idle = total, idle
        return self._is_full


def _times() -> tuple[float, float]:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0), idle
