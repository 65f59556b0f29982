"""The event fixtures of the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sam_template.repository import REPOSITORY

EVENTS = REPOSITORY / "events"


def load_event(path: Path | str) -> dict[str, Any]:
    """Return the event fixture at `path`, relative to `events/`."""
    event: dict[str, Any] = json.loads((EVENTS / path).read_text())
    return event
