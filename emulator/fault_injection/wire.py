"""What a proxy needs to know of the protocol of its backing service."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol


class Reader(Protocol):
    """The requests of one connection."""

    @property
    def is_pending(self) -> bool:
        """Whether a request has begun and is not complete."""

    @property
    def error_response(self) -> bytes | None:
        """The response to a request that may not come in."""

    def feed(self, data: bytes) -> list[Any]:
        """Return the requests that are complete with `data`. Raises ValueError when these are none."""


class Wire(Protocol):
    """The protocol of a backing service: HttpWire or RedisWire."""

    @property
    def reads_always(self) -> bool:
        """Whether requests are read when nothing is wrong, too."""

    @property
    def closes_after_error(self) -> bool:
        """Whether an error is the last response of a connection."""

    def reader(self, hosts: Collection[bytes]) -> Reader:
        """Return what reads the requests of one connection; `hosts` are the addresses that a client may name."""

    def check_error(self, name: str, error: str) -> None:
        """Raise FaultError when the backing service `name` cannot answer with `error`."""

    def is_handshake(self, requests: Collection[Any]) -> bool:
        """Tell whether requests only set the connection up: they are passed on whatever is wrong."""

    def error(self, error: str, request: Any) -> bytes:
        """Return the response to `request` with `error`, "" meaning the usual one."""
