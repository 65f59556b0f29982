"""The unix socket on which an engine serves the Docker Engine API.

It listens from the start. What serves a connection is imported at the first one: most engines never meet `sam`, and the
web framework takes as long to import as all the rest of the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.command_names import spelled
from emulator.engine.errors import EngineError

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
        """Listen. Raises EngineError, also when another engine does."""
        await _remove_dead(self._path)
        loop = asyncio.get_running_loop()
        before = os.umask(0o177)
        try:
            self._listener = await loop.create_unix_server(self._protocol, self._path, backlog=_BACKLOG)
        except OSError as error:
            raise EngineError(f"The engine cannot listen on {self._path}: {error.strerror or error}.") from error
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


async def _remove_dead(path: Path) -> None:
    """Remove the socket of a dead engine; raise `EngineError` when a living one answers on it."""
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise EngineError(f"{path} is not a socket: move it away, or choose another path.")
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
        return
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    raise EngineError(f"Another engine answers on {path}: stop it ({spelled('down')}) and start again.")
