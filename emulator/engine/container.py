"""A container as Docker's clients see one: a function's log, its port and its environments."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psutil

from emulator.engine.errors import EngineError
from emulator.engine.function import Function
from emulator.engine.invoke_endpoint import InvokeEndpoint
from emulator.engine.log_stream import LogStream
from emulator.engine.running_function import RunningFunctions
from emulator.processes.process_identity import ProcessIdentity

_PORT_ATTEMPTS = 10
_PORT_WAIT_SECONDS = 0.1


class Container:
    """One container. `owner` is the client that created it: it does not outlive its owner."""

    def __init__(
        self,
        function: Function,
        body: Mapping[str, Any],
        owner: ProcessIdentity | None,
        functions: RunningFunctions,
        exposed_headers: str | None = None,
    ) -> None:
        self.id = secrets.token_hex(32)
        self.function = function
        self.owner = owner
        self.log = LogStream()
        self.lasts_until_served = False
        """Whether it is there only for a `sam` that makes containers before it serves."""
        self._body = body
        self._created = datetime.now(UTC)
        self._started: datetime | None = None
        self._status = "created"
        self._functions = functions
        self._running = functions.hold(function, self.log)
        self._endpoint = InvokeEndpoint(
            function,
            self._running,
            self.log,
            is_start_lambda=_is_command(owner, "start-lambda"),
            exposed_headers=exposed_headers,
            routes=functions.metrics.api("sam local start-api", ""),
        )
        self._start: asyncio.Task[None] | None = None
        self._initialisation: asyncio.Task[None] | None = None
        self._removal: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether the container was started and not ended."""
        return self._status == "running"

    async def start(self) -> None:
        """Listen on the container's port and initialise; raise `EngineError` when the port is taken."""
        # SAM's threads may find the container not running and start it at the same time: one does, all wait for it.
        if self._start is None or (self._start.done() and not self.is_running):
            self._start = asyncio.create_task(self._start_once())
        await asyncio.shield(self._start)

    async def _start_once(self) -> None:
        await self._listen()
        self._status, self._started = "running", datetime.now(UTC)
        self._initialisation = started = asyncio.create_task(self._running.start())
        # A client that waits for `start` sends its first event, and starts its own timer, when init is over.
        if not self.function.is_debugged:
            await asyncio.shield(started)

    async def stop(self, grace_seconds: float) -> None:
        """Ask the processes to end, then end them."""
        if self.is_running and not self._functions.is_shared(self._running):
            self._running.tenants.terminate()
            await asyncio.sleep(min(grace_seconds, 0.2))
        await self._end()

    async def remove(self) -> None:
        """End the container and everything it holds; safe to call twice."""
        if self._removal is None:
            self._removal = asyncio.create_task(self._end())
        await asyncio.shield(self._removal)

    def inspection(self) -> dict[str, Any]:
        """Return what `GET /containers/{id}/json` answers (Docker Engine API v1.35, "Inspect a container")."""
        return {
            "Id": self.id,
            "Created": self._created.isoformat(),
            "Name": f"/{self.function.name}-{self.id[:12]}",
            "Image": self._body.get("Image"),
            "State": {
                "Status": self._status,
                "Running": self.is_running,
                "Paused": False,
                "OOMKilled": False,
                "Dead": False,
                "ExitCode": 0,
                "StartedAt": self._started.isoformat() if self._started else "0001-01-01T00:00:00Z",
            },
            "Config": {
                "Tty": False,
                "Env": self._body.get("Env") or [],
                "Image": self._body.get("Image"),
                "Cmd": self._body.get("Cmd"),
                "Entrypoint": self._body.get("Entrypoint"),
                "Labels": self._body.get("Labels") or {},
            },
            "HostConfig": {"PortBindings": {}, **(self._body.get("HostConfig") or {})},
            "Mounts": [],
            "NetworkSettings": {"Networks": {}},
        }

    def summary(self) -> dict[str, Any]:
        """Return one entry of `GET /containers/json` (Docker Engine API v1.35, "List containers")."""
        inspection = self.inspection()
        return {
            "Id": self.id,
            "Names": [inspection["Name"]],
            "Image": inspection["Image"],
            "ImageID": inspection["Image"],
            "Command": self.function.handler,
            "Created": int(self._created.timestamp()),
            "State": self._status,
            "Status": self._status,
            "Labels": inspection["Config"]["Labels"],
            "Ports": [{"IP": self.function.host, "PrivatePort": 8080, "PublicPort": self.function.port, "Type": "tcp"}],
        }

    async def _listen(self) -> None:
        # SAM picked the port, tried it and let it go: another of its probes may hold it for a moment.
        for attempt in range(_PORT_ATTEMPTS):
            try:
                await self._endpoint.start()
            except OSError as error:
                if attempt == _PORT_ATTEMPTS - 1:
                    where = f"{self.function.host}:{self.function.port}"
                    raise EngineError(
                        f"Bind for {where} failed: port is already allocated; run the command again, "
                        "SAM CLI then picks another port."
                    ) from error
                await asyncio.sleep(_PORT_WAIT_SECONDS)
            else:
                return

    async def _end(self) -> None:
        self._status = "exited"
        await self._functions.let_go(self._running, self.log)
        await self._endpoint.stop()
        self.log.close()


def serves_many_functions(client: ProcessIdentity | None) -> bool:
    """Tell whether `client` is a `sam local` that runs on: start-api or start-lambda."""
    return _is_command(client, "start-api") or _is_command(client, "start-lambda")


def is_serving(client: ProcessIdentity | None) -> bool:
    """Tell whether `client` listens for requests: until then `sam local` makes the containers of EAGER."""
    try:
        connections = psutil.Process(client.pid).net_connections("tcp") if client is not None else []
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN for each in connections)


def _is_command(client: ProcessIdentity | None, verb: str) -> bool:
    try:
        return client is not None and verb in psutil.Process(client.pid).cmdline()
    except psutil.Error:
        return False
