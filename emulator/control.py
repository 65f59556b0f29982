"""How the other commands reach a running emulator: HTTP on a unix socket that only its user can open."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from emulator.command_names import spelled
from emulator.errors import EmulatorError
from emulator.http_server import HttpServer, Request, Response
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.state_lock import StateLock, holder

_LOG = logging.getLogger(__name__)
ANSWER_SECONDS = 30
_IDENTITY_SECONDS = 5
_STOP_SECONDS = 0.5
_WAIT_SECONDS = 60
_POLL_SECONDS = 0.1

Verb = Callable[[str], Awaitable[Any]]
"""Takes the request's text, returns what becomes the JSON answer, raises `EmulatorError` when the verb fails."""


class ControlServer:
    """Serves each verb as `POST /<verb>`."""

    def __init__(self, socket: Path, verbs: dict[str, Verb]) -> None:
        self._socket = socket
        self._verbs = verbs
        self._server = HttpServer(self._handle)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._server.start_unix(self._socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(_STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._socket.unlink(missing_ok=True)

    def _handle(self, request: Request) -> None:
        verb = self._verbs.get(request.target.decode("latin-1").removeprefix("/"))
        if verb is None or request.method != "POST":
            request.respond(_json(404, {"error": "The emulator has no such verb."}))
            return
        task = asyncio.create_task(_answer(verb, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _answer(verb: Verb, request: Request) -> None:
    try:
        request.respond(_json(200, await verb(request.body.decode())))
    except EmulatorError as error:
        request.respond(_json(409, {"error": str(error)}))
    except Exception as error:
        _LOG.exception("%s failed", request.target.decode("latin-1"))
        request.respond(_json(500, {"error": f"The emulator failed: {error}"}))


def _json(status: int, value: Any) -> Response:
    return Response(status, ((b"content-type", b"application/json"),), json.dumps(value).encode())


async def ask(running: RunningEmulator, verb: str, text: str = "", *, seconds: float = ANSWER_SECONDS) -> Any:
    """Return what the running emulator answers to `verb` with `text`.

    Raises `EmulatorError` when it refuses, or does not answer within `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            status, answer = await _post(running.control_socket, verb, text.encode())
    except (TimeoutError, OSError, ValueError) as error:
        raise EmulatorError(
            f"The emulator (process {running.process.pid}) does not answer: {spelled('down')} ends it, then "
            f"{spelled('up')} or {spelled('start')} starts a new one."
        ) from error
    if status != 200:
        raise EmulatorError(answer["error"])
    return answer


async def _post(socket: str, verb: str, body: bytes) -> tuple[int, Any]:
    """Return the status and the JSON of an answer. Raises `OSError` or `ValueError` when there is none."""
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        head = f"POST /{verb} HTTP/1.1\r\nHost: emulator\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer_head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        return int(answer_head.split(b" ", 2)[1]) if answer_head else 0, json.loads(answer)
    finally:
        writer.close()


async def answering(paths: StatePaths) -> RunningEmulator | None:
    """Return the emulator of `paths`, None when none runs. Raises `EmulatorError` when it runs and does not answer."""
    running = paths.running()
    if running is None:
        return None
    try:
        identity = await ask(running, "identity", seconds=_IDENTITY_SECONDS)
    except EmulatorError:
        if paths.running() != running:  # it was about to stop
            return None
        raise
    return running if identity == asdict(running.process) else None


async def required(paths: StatePaths) -> RunningEmulator:
    """Return the emulator of `paths`. Raises `EmulatorError` when none runs, or it does not answer."""
    running = await answering(paths)
    if running is None:
        raise EmulatorError(f"No emulator is running: {spelled('up')} starts one in the background.")
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
                f"{_WAIT_SECONDS} s: {spelled('down')} ends it."
            )
        await asyncio.sleep(_POLL_SECONDS)
