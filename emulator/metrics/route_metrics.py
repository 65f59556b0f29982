"""What is counted of the routes of APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NO_ROUTE: Final = "(no route)"
OTHER_ROUTES: Final = "(other routes)"
_MOST_ROUTES: Final = 1000
"""An API of API Gateway has no more by default; the keys of other events come from whoever sends them."""


@dataclass
class RouteCount:
    """The requests of one route, and how many were answered by a client error (4xx) or a server error (5xx)."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0


class RouteMetrics:
    """Counts the answers of one API, by route."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, RouteCount] = {}

    def add(self, route_key: str, status: int) -> None:
        """Count one answer; `route_key` is "" where no route fits the request."""
        count = self._counts.get(route_key)
        if count is None:
            count = self._begin(route_key)
        count.requests += 1
        if status >= 500:
            count.server_errors += 1
        elif status >= 400:
            count.client_errors += 1

    def __iter__(self) -> Iterator[tuple[str, RouteCount]]:
        """Yield each route that was asked for, and its count."""
        return ((key or NO_ROUTE, count) for key, count in self._counts.items())

    def _begin(self, route_key: str) -> RouteCount:
        kept = route_key if len(self._counts) < _MOST_ROUTES else OTHER_ROUTES
        return self._counts.setdefault(kept, RouteCount())
