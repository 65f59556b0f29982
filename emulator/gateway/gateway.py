"""The gateway: every API of the template on a port of its own, in the emulator's process."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.gateway.api_keys import Clients
from emulator.gateway.api_server import ApiServer, Records
from emulator.gateway.authorizers import Authorizers
from emulator.gateway.definition import DEFAULT_STAGE, Api
from emulator.gateway.functions import Functions, Invocations
from emulator.gateway.http_api import HttpApi
from emulator.gateway.pending_answer import JSON
from emulator.gateway.rest_api import RestApi
from emulator.http_server import HttpServer, Limits, Response
from emulator.metrics import Metrics

_LIMITS = Limits(head_bytes=10_240, body_bytes=10 * 1024 * 1024, sending_seconds=30, idle_seconds=60)
"""API Gateway Developer Guide, "Quotas": request line and headers 10 240 bytes, payload 10 MB."""
_ERRORS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 501: "Not Implemented"}
_STOP_SECONDS = 0.5


@dataclass(frozen=True)
class ServedApi:
    """An API that is served: its logical id, its kind, and the address of each of its stages."""

    logical_id: str
    kind: str
    urls: tuple[str, ...]


class Gateway:
    """Serves `apis`, each on its port, until it is stopped. `logs` is the folder of the access logs."""

    def __init__(
        self,
        apis: Sequence[Api],
        functions: Functions,
        logs: Path,
        *,
        throttles: bool = True,
        metrics: Metrics | None = None,
        recorder: Records | None = None,
    ) -> None:
        self._served: list[tuple[ApiServer, HttpServer]] = []
        invocations = Invocations(functions)
        clients: Clients = {}
        for api in apis:
            authorizers = Authorizers(api, invocations)
            running: HttpApi | RestApi
            if api.kind == "HTTP":
                running = HttpApi(api, invocations, authorizers, logs, throttles=throttles)
            else:
                running = RestApi(api, invocations, authorizers, logs, throttles=throttles, clients=clients)
            if metrics is not None:
                running.routes = metrics.api("gateway", api.logical_id)
            running.recorder = recorder
            server = HttpServer(running.handle, limits=_LIMITS, error_response=_error_response, allows_half_close=True)
            self._served.append((running, server))

    async def start(self, host: str, ports: Sequence[int]) -> list[ServedApi]:
        """Listen; 0 is a free port. Raises `OSError` when something else listens there."""
        async with contextlib.AsyncExitStack() as started:
            for (running, server), port in zip(self._served, ports, strict=True):
                await server.start(host, port)
                started.push_async_callback(server.stop)
                running.port = server.port
            started.pop_all()
        return [_described(running.api, f"http://{host}:{server.port}") for running, server in self._served]

    async def stop(self) -> None:
        """Stop listening; answers under way get half a second."""
        await asyncio.gather(*(server.stop(_STOP_SECONDS) for _, server in self._served))
        await asyncio.gather(*(running.stop() for running, _ in self._served))


def _error_response(status: int) -> Response:
    return Response(status, (JSON,), json.dumps({"message": _ERRORS.get(status, "Bad Request")}).encode())


def _described(api: Api, url: str) -> ServedApi:
    stages = [stage.name for stage in api.stages]
    urls = tuple(url if name == DEFAULT_STAGE else f"{url}/{name}" for name in stages)
    return ServedApi(api.logical_id, api.kind, urls)
