"""The listening side: connections, their end, and the time that clients get."""

from __future__ import annotations

import asyncio
import http
import os
from collections.abc import Callable
from pathlib import Path

from emulator.http_server.connection import Connection
from emulator.http_server.messages import Limits, Request, Response

Handler = Callable[[Request], None]
_SWEEP_SECONDS = 0.5


def plain_error_response(status: int) -> Response:
    """Return the answer to a request that never reaches a handler: 400, 408 or 431."""
    return Response(status, ((b"content-type", b"text/plain"),), http.HTTPStatus(status).phrase.encode())


class HttpServer:
    """Calls `handler` for each request of each connection, one at a time for a connection.

    `error_response(status)` is the answer to what no handler sees: a malformed request (400), a slow one (408), a head
    that is too large (431). A client that closes its side while it waits is gone, unless `allows_half_close`. With
    `own_user_only` the connections of other users of this machine are closed at once (see `emulator.processes.peer`).
    """

    def __init__(
        self,
        handler: Handler,
        *,
        limits: Limits | None = None,
        error_response: Callable[[int], Response] = plain_error_response,
        allows_half_close: bool = False,
        own_user_only: bool = False,
    ) -> None:
        self.handler = handler
        self.limits = limits or Limits()
        self.error_response = error_response
        self.allows_half_close = allows_half_close
        self.own_user_only = own_user_only
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int = 0, *, backlog: int = 512) -> None:
        """Listen on `host`, port 0 being a free one. Raises `OSError` when something else listens there."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self, loop), host, port, backlog=backlog)
        self._sweep = loop.call_later(_SWEEP_SECONDS, self._expire)

    async def start_unix(self, path: Path) -> None:
        """Listen on a unix socket that only this user can open. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        before = os.umask(0o177)
        try:
            self._server = await loop.create_unix_server(lambda: Connection(self, loop), path)
        finally:
            os.umask(before)
        self._sweep = loop.call_later(_SWEEP_SECONDS, self._expire)

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        if self._server is None:
            raise RuntimeError("the server does not listen")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self, grace_seconds: float = 0) -> None:
        """Stop listening; answers under way get `grace_seconds`, then every connection is closed."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        if self._sweep is not None:
            self._sweep.cancel()
        deadline = asyncio.get_running_loop().time() + grace_seconds
        for connection in list(self.connections):
            connection.finish()
        while self.connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        for connection in list(self.connections):
            connection.abort()
        while self.connections:  # noqa: ASYNC110 each is told in the loop's next turn
            await asyncio.sleep(0)

    def _expire(self) -> None:
        # One timer for all connections: one for each request would cost more than the requests' parsing.
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self.connections):
            if connection.deadline is not None and connection.deadline < now:
                connection.expire()
        self._sweep = loop.call_later(_SWEEP_SECONDS, self._expire)
