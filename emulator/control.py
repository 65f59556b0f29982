"""How the other commands reach a running emulator: HTTP on a unix socket that only its user can open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from emulator.errors import EmulatorError
from emulator.paths import RunningEmulator

Verb = Callable[[str], Awaitable[Any]]
"""Takes the request's text, returns what becomes the JSON answer, raises `EmulatorError` for a refusal."""


class ControlServer:
    """Serves each verb as `POST /<verb>`."""

    def __init__(self, socket: Path, verbs: dict[str, Verb]) -> None:
        self._socket = socket
        application = web.Application()
        for name, verb in verbs.items():
            application.router.add_post(f"/{name}", _handler(verb))
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._socket)).start()
        self._socket.chmod(0o600)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        self._socket.unlink(missing_ok=True)


def _handler(verb: Verb) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return web.json_response(await verb(await request.text()))
        except EmulatorError as error:
            return web.json_response({"error": str(error)}, status=409)

    return handle


async def ask(running: RunningEmulator, verb: str, text: str = "", *, seconds: float = 30) -> Any:
    """Return what the running emulator answers to `verb` with `text`.

    Raises `EmulatorError` when it refuses, or does not answer within `seconds`.
    """
    connector = aiohttp.UnixConnector(running.control_socket)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(seconds)) as session,
            session.post(f"http://emulator/{verb}", data=text) as response,
        ):
            answer = await response.json()
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise EmulatorError(
            f"The emulator (process {running.pid}) does not answer: `make down` stops it, `make up` starts a new one."
        ) from error
    if response.status != 200:
        raise EmulatorError(answer["error"])
    return answer
