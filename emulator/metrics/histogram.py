"""Durations in a fixed number of buckets: their percentiles to within 1.6 %, in 6 KB however many there were."""

from __future__ import annotations

import math
from array import array
from typing import Final

_BUCKETS_OF_AN_OCTAVE: Final = 32
_LEAST_EXPONENT: Final = -4
_LEAST_MS: Final = 2.0 ** (_LEAST_EXPONENT - 1)
"""What is shorter is in the first bucket."""
_OCTAVES: Final = 25
"""The last bucket ends at 2 ** 20 ms, more than the quarter of an hour that Lambda gives an invocation."""
_SIZE: Final = _OCTAVES * _BUCKETS_OF_AN_OCTAVE


class Histogram:
    """Durations in ms. Each power of two is divided into as many buckets, as in HdrHistogram."""

    __slots__ = ("_buckets", "count", "largest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.largest = 0.0
        self._buckets = array("Q", bytes(8 * _SIZE))

    def add(self, milliseconds: float) -> None:
        """Count one duration."""
        mantissa, exponent = math.frexp(max(milliseconds, _LEAST_MS))
        index = int((exponent - _LEAST_EXPONENT + 2 * mantissa - 1) * _BUCKETS_OF_AN_OCTAVE)
        self._buckets[min(index, _SIZE - 1)] += 1
        self.count += 1
        self.total += milliseconds
        if milliseconds > self.largest:
            self.largest = milliseconds

    def percentile(self, share: float) -> float | None:
        """Return the duration in ms that at least `share` (0 to 1) of those counted do not exceed; None without any.

        It is the middle of a bucket, and never more than the largest duration.
        """
        rank = max(1, math.ceil(share * self.count))
        seen = 0
        for index, number in enumerate(self._buckets):
            seen += number
            if seen >= rank:
                octave, part = divmod(index + 0.5, _BUCKETS_OF_AN_OCTAVE)
                middle = math.ldexp(1 + part / _BUCKETS_OF_AN_OCTAVE, int(octave) + _LEAST_EXPONENT - 1)
                return min(middle, self.largest)
        return None
