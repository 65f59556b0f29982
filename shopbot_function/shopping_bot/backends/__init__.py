"""The backing services, each behind one module."""

from __future__ import annotations


class BackingServiceError(Exception):
    """A backing service does not answer, or not usably. `reason` never holds a key or a customer's text."""

    def __init__(self, backing_service: str, reason: str) -> None:
        super().__init__(f"{backing_service}: {reason}")
        self.backing_service = backing_service
        self.reason = reason
