"""How often each thing is measured."""

from __future__ import annotations

from dataclasses import dataclass


class BenchmarkError(Exception):
    """Something could not be measured; the message says why."""


@dataclass(frozen=True)
class Plan:
    """`runs` of each command, cold `requests` of each route, `rounds` of load of so many `seconds` per client count.

    `soak_seconds` of mixed load.
    """

    runs: int
    requests: int
    rounds: int
    seconds: float
    soak_seconds: float


FULL = Plan(runs=5, requests=10, rounds=3, seconds=5 / 3, soak_seconds=60)
QUICK = Plan(runs=2, requests=3, rounds=1, seconds=1, soak_seconds=5)
