"""Everything that is counted in one emulator, from its start on."""

from __future__ import annotations

from emulator.metrics.function_metrics import FunctionMetrics
from emulator.metrics.route_metrics import RouteMetrics


class Metrics:
    """The metrics of each function, by its logical id, and of each API, by what serves it and its logical id."""

    def __init__(self) -> None:
        self.functions: dict[str, FunctionMetrics] = {}
        self.apis: dict[tuple[str, str], RouteMetrics] = {}

    def function(self, logical_id: str) -> FunctionMetrics:
        """Return where to count what the function does."""
        return self.functions.setdefault(logical_id, FunctionMetrics())

    def api(self, server: str, logical_id: str) -> RouteMetrics:
        """Return where to count the answers of an API; `logical_id` is "" where the events do not tell it."""
        return self.apis.setdefault((server, logical_id), RouteMetrics())
