"""The services of the emulated account, as its root sees them."""

from __future__ import annotations

from typing import Any

from emulator.aws.clients import Clients
from emulator.credentials import Endpoint


class ClosedError(Exception):
    """A call after the end. No error of botocore's: nothing takes it for an answer, or calls again."""


class Services(Clients):
    """Clients that threads may use until `close`."""

    def __init__(self, endpoint: Endpoint, region: str) -> None:
        super().__init__(endpoint, region)
        self._is_closed = False

    def _client(self, service: str) -> Any:
        client = super()._client(service)
        client.meta.events.register("before-send", self._require_open)
        return client

    def _require_open(self, **_: object) -> None:
        if self._is_closed:
            raise ClosedError

    def close(self) -> None:
        """Refuse every further call: a thread that works on after an interruption would hold the process up."""
        self._is_closed = True
