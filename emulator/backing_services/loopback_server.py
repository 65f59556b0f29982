"""An HTTP server of this process on the loopback interface: what the fakes for HTTP backing services have in common."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Final, Self

from emulator.http_server import HttpServer, Limits, Request, Response
from emulator.processes.ports import LOOPBACK

_LOG: Final = logging.getLogger(__name__)
_STOP_SECONDS: Final = 1.0


class LoopbackServer(ABC):
    """Serves what a subclass answers at `port`, 0 meaning a free one. A longer body than `body_bytes` is not kept."""

    def __init__(self, port: int, body_bytes: int) -> None:
        self._port = port
        self._server = HttpServer(self._handle, limits=Limits(body_bytes=body_bytes))

    @property
    def port(self) -> int:
        """The port. Known once it has started."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients reach it. Known once it has started."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start listening. Raises OSError when the port is taken."""
        await self._server.start(LOOPBACK, self._port)
        self._port = self._server.port

    async def stop(self) -> None:
        """Stop listening; harmless when it does not."""
        await self._server.stop(_STOP_SECONDS)

    def _handle(self, request: Request) -> None:
        try:
            response = self._respond(request)
        except Exception:
            _LOG.exception("%s %s failed", request.method, request.target.decode("latin-1"))
            response = Response(500)
        request.respond(response)

    @abstractmethod
    def _respond(self, request: Request) -> Response:
        """Return the answer to a request, whose body is empty when it was too large."""
