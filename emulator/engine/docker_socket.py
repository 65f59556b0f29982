"""The unix socket on which an engine serves the Docker Engine API.

It listens from the start. What serves a connection is imported at the first one: most engines never meet `sam`, and the
web framework takes as long to import as all the rest of the engine.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp.web import Server

    from emulator.engine.docker_api import Backend

_BACKLOG: Final = 512
_KEEPALIVE_SECONDS: Final = 24 * 3600
_STOP_SECONDS: Final = 0.5


class DockerSocket:
    """Serves `engine` on a unix socket that only its user can open."""

    def __init__(self, engine: Backend, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._listener: asyncio.Server | None = None
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        before = os.umask(0o177)
        try:
            self._listener = await loop.create_unix_server(self._protocol, self._path, backlog=_BACKLOG)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Close every connection and remove the socket; harmless when it does not listen."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        if self._server is not None:
            await asyncio.sleep(0)  # what has arrived begins to be handled before idle connections are closed
            self._server.pre_shutdown()
            await self._server.shutdown(_STOP_SECONDS)
            self._server = None
        self._path.unlink(missing_ok=True)

    def _protocol(self) -> asyncio.Protocol:
        """Return what serves one connection."""
        if self._server is None:
            from aiohttp.web import Server

            from emulator.engine.docker_api import DockerApi

            self._server = Server(
                DockerApi(self._engine).dispatch,
                access_log=None,
                handler_cancellation=True,
                keepalive_timeout=_KEEPALIVE_SECONDS,
            )
        return self._server()
