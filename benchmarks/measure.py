"""What a benchmark yields: named quantities, each measured one or more times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measure:
    """One quantity of one subject, in `unit`, with every value that was measured. `charted` puts it into the chart."""

    subject: str
    quantity: str
    unit: str
    values: tuple[float, ...]
    charted: bool = False

    @property
    def median(self) -> float:
        """Return the median of the values."""
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        """Return the smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """Return the largest value."""
        return max(self.values)


@dataclass(frozen=True)
class Section:
    """The measures of one benchmark. As a matrix they are printed by subject and quantity, medians only.

    `files` are further results that are kept beside the measures: texts by the names of their files.
    """

    name: str
    title: str
    measures: tuple[Measure, ...]
    notes: tuple[str, ...] = ()
    is_matrix: bool = False
    files: Mapping[str, str] = field(default_factory=dict)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` (0 to 1) of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratios(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Return each value over the base that was measured next to it. Raises `ValueError` when one has no partner."""
    return tuple(value / base for value, base in zip(values, bases, strict=True))


def differences(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Return each value less the base that was measured next to it. Raises `ValueError` when one has no partner."""
    return tuple(value - base for value, base in zip(values, bases, strict=True))
