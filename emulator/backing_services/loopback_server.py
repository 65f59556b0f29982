"""An HTTP server of this process on the loopback interface: what the fakes for HTTP backing services have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from aiohttp import web

from emulator.processes.ports import LOOPBACK


class LoopbackServer(ABC):
    """Serves the application of a subclass at `port`, 0 meaning a free one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None

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
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, self._port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; harmless when it does not."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @abstractmethod
    def _application(self) -> web.Application:
        """Return what is served."""
