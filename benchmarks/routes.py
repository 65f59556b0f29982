"""The routes whose answers are timed, and the fixture of each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.processes import EVENTS


@dataclass(frozen=True)
class Route:
    """`name` as the template's events have it; `fixture` is a file below events/inventory."""

    name: str
    fixture: str

    @property
    def event(self) -> bytes:
        """Return the fixture's event."""
        return (EVENTS / self.fixture).read_bytes()

    @property
    def path(self) -> str:
        """Return the path that the fixture requests."""
        return str(json.loads(self.event)["rawPath"])


ROUTES = (Route("GET /", "root.json"), Route("GET /inventory/{sku}", "get_item.json"))
"""One that calls no backing service, and one that reads the table."""
