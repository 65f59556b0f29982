"""How the other commands reach a running emulator: HTTP on a unix socket that only its user can open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from emulator.errors import EmulatorError
from emulator.paths import RunningEmulator, StatePaths
from emulator.state_lock import StateLock, holder

_ANSWER_SECONDS = 5
_WAIT_SECONDS = 60
_POLL_SECONDS = 0.1

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
            f"The emulator (process {running.process.pid}) does not answer: `make down` ends it, then `make up` or "
            "`make start` starts a new one."
        ) from error
    if response.status != 200:
        raise EmulatorError(answer["error"])
    return answer


async def answering(paths: StatePaths) -> RunningEmulator | None:
    """Return the emulator of `paths`, None when none runs. Raises `EmulatorError` when it runs and does not answer."""
    running = paths.running()
    if running is None:
        return None
    try:
        identity = await ask(running, "identity", seconds=_ANSWER_SECONDS)
    except EmulatorError:
        if paths.running() != running:  # it was about to stop
            return None
        raise
    return running if identity == asdict(running.process) else None


async def required(paths: StatePaths) -> RunningEmulator:
    """Return the emulator of `paths`. Raises `EmulatorError` when none runs, or it does not answer."""
    running = await answering(paths)
    if running is None:
        raise EmulatorError("No emulator is running: `make up` starts one in the background.")
    return running


async def running_or_lock(paths: StatePaths) -> tuple[RunningEmulator | None, StateLock | None]:
    """Return the emulator of `paths`, or else the lock that lets this process become it.

    One that starts or stops is waited for. Raises `EmulatorError`.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        if running := await answering(paths):
            return running, None
        if lock := StateLock.take(paths):
            return None, lock
        if time.monotonic() > deadline:
            owner = holder(paths)
            raise EmulatorError(
                f"Another emulator{f' (process {owner.pid})' if owner else ''} has been starting or stopping for "
                f"{_WAIT_SECONDS} s: `make down` ends it."
            )
        await asyncio.sleep(_POLL_SECONDS)
