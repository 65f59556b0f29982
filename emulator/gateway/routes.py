"""Which route serves a request.

Sources: API Gateway Developer Guide, "Create routes for HTTP APIs in API Gateway", "Routing API requests"; for REST
APIs "Set up API resources" and "Set up a proxy integration with a proxy resource". Both were compared with the
examples of these pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emulator.gateway.definition import ANY, DEFAULT_ROUTE, Route

_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")
Rank = tuple[int, ...]


@dataclass(frozen=True)
class Match:
    """A route, what its path variables stand for, and the path that was matched, without stage and base path."""

    route: Route
    parameters: Mapping[str, str]
    path: str


@dataclass(frozen=True)
class _Pattern:
    """The compiled path of a route or resource; smaller ranks are tried first."""

    path: str
    expression: re.Pattern[str]
    rank: Rank


class HttpRoutes:
    """The routes of an HTTP API: a full match first, then greedy variables, then $default."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._default = next((route for route in routes if route.path == DEFAULT_ROUTE), None)
        ranked = [(_pattern(route.path), route) for route in routes if route.path != DEFAULT_ROUTE]
        # A method of its own comes before ANY, but only between equal paths.
        ranked.sort(key=lambda pair: (pair[0].rank, pair[1].method == ANY))
        self._exact: dict[tuple[str, str], Route] = {}
        for pattern, route in ranked:
            if "{" not in pattern.path:
                self._exact[route.method, route.path] = route
        self._ranked = [(pattern.expression, route) for pattern, route in ranked if "{" in pattern.path]

    def select(self, method: str, path: str) -> Match | None:
        """Return the route for a request; `path` is decoded, without stage and base path."""
        exact = self._exact.get((method, path)) or self._exact.get((ANY, path))
        if exact is not None:
            return Match(exact, {}, path)
        for expression, route in self._ranked:
            if route.method in (method, ANY) and (found := expression.fullmatch(path)):
                return Match(route, _named(route.path, found), path)
        return Match(self._default, {}, path) if self._default is not None else None


class RestResources:
    """The resources of a REST API: the most specific resource first, and only then its methods.

    A resource without the method does not pass the request on to a greedy one above it. Each parent of a path is a
    resource, too, if one without methods.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._methods: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._methods.setdefault(route.path, {})[route.method] = route
        paths = {parent for path in self._methods for parent in _parents(path)} | set(self._methods)
        self._patterns = sorted((_pattern(path) for path in paths), key=lambda pattern: pattern.rank)

    def select(self, method: str, path: str) -> Match | None:
        """Return the method for a request; `path` is decoded, without stage and base path."""
        path = path.rstrip("/") or "/"
        for pattern in self._patterns:
            if found := pattern.expression.fullmatch(path):
                methods = self._methods.get(pattern.path, {})
                route = methods.get(method) or methods.get(ANY)
                return Match(route, _named(route.path, found), path) if route is not None else None
        return None


def _pattern(path: str) -> _Pattern:
    expression, rank = "", []
    for segment in path.split("/")[1:]:
        found = _VARIABLE.fullmatch(segment)
        if found is None:
            expression += "/" + re.escape(segment)
            rank.append(0)
        elif found[2]:
            expression += "/(.+)"
            rank.append(2)
        else:
            expression += "/([^/]+)"
            rank.append(1)
    # Greedy paths come after all others; the longer of two greedy ones first.
    greedy = 1 if 2 in rank else 0
    return _Pattern(path, re.compile(expression, re.DOTALL), (greedy, *(rank if not greedy else [-len(rank), *rank])))


def _named(path: str, found: re.Match[str]) -> dict[str, str]:
    return dict(zip((name for name, _ in _VARIABLE.findall(path)), found.groups(), strict=True))


def _parents(path: str) -> list[str]:
    segments = path.split("/")[1:]
    return ["/" + "/".join(segments[:count]) for count in range(1, len(segments))]
