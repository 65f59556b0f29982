"""The gateway of a running emulator: on the ports that somebody asked for, for as long as they are there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from emulator.aws.stack import Stack
from emulator.command_names import spelled
from emulator.declared_functions import as_sam_describes_it
from emulator.engine import Engine
from emulator.errors import EmulatorError
from emulator.gateway import Gateway, ServedApi
from emulator.gateway.engine_functions import EngineFunctions, OutputLog
from emulator.gateway.template_apis import TemplateApis
from emulator.processes.ports import HIGHEST_PORT, LOOPBACK, ports_from
from emulator.processes.process_identity import ProcessIdentity
from emulator.recording import Recorder
from emulator.status_view import Row
from sam_template import Template

_OWNERS_EVERY_SECONDS = 0.3


class _Opened(NamedTuple):
    gateway: Gateway
    apis: Sequence[ServedApi]
    owner: ProcessIdentity


class GatewayPorts:
    """Opens gateways in front of one set of environments.

    `build` is the folder in which `sam build` put the functions. `credentials` are those that `sam` would pass: with
    the same ones both share a function's environments.
    """

    def __init__(
        self,
        engine: Engine,
        template: Template,
        stack: Stack,
        build: Path,
        logs: Path,
        credentials: Mapping[str, str],
        *,
        throttles: bool,
    ) -> None:
        reader = TemplateApis(template)
        self._apis = reader.apis()
        self._notes = list(dict.fromkeys(note for api in self._apis for note in api.notes))
        declared = {
            name: as_sam_describes_it(
                template,
                name,
                build,
                {**credentials, **stack.environment(name)},
                engine.find_image,
                engine.layers.merged,
            )
            for name in template.functions
        }
        self._functions = EngineFunctions(engine.functions, declared, OutputLog(sys.stderr.fileno()))
        self._engine = engine
        self._logs = logs
        self._throttles = throttles
        self.recorder = Recorder()
        self._opened: dict[int, _Opened] = {}
        self._is_started = False
        self._keeper: asyncio.Task[None] | None = None

    def exposed_headers(self) -> dict[str, str]:
        """Return what each function's API exposes to pages of browsers, for those with CORS."""
        return {
            route.integration.function: ",".join(api.cors.get("exposeHeaders") or ())
            for api in self._apis
            if api.cors is not None
            for route in api.routes
        }

    async def open(self, port: int, owner: ProcessIdentity) -> list[ServedApi]:
        """Serve the first API on `port` and the others on those after it, until `owner` ends; 0 means free ports.

        Without an API in the template nothing is served. Raises `EmulatorError` with the remedy when a port is taken,
        or past the last one.
        """
        if not self._apis:
            return []
        if not self._is_started:
            self._is_started = True
            self._functions.start()
            self._keeper = asyncio.create_task(self._keep())
        gateway = Gateway(
            self._apis,
            self._functions,
            self._logs,
            throttles=self._throttles,
            metrics=self._engine.functions.metrics,
            recorder=self.recorder,
        )
        ports = ports_from(port, len(self._apis))
        try:
            served = await gateway.start(LOOPBACK, ports)
        except OSError as error:
            another = port + 100 if ports[-1] + 100 <= HIGHEST_PORT else 3000
            raise EmulatorError(
                f"The gateway needs port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))} "
                f"({error.strerror or error}): choose others, for example "
                f"{spelled('start', front='gateway', port=another)}."
            ) from error
        first = int(served[0].urls[0].split(":")[2].partition("/")[0]) if served[0].urls else port
        self._opened[first] = _Opened(gateway, served, owner)
        return served

    def apis_with(self, route_key: str) -> list[str]:
        """Return the logical ids of the APIs that have the route."""
        return [api.logical_id for api in self._apis if any(route.key == route_key for route in api.routes)]

    def rows(self) -> list[Row]:
        """Return what the status view says: a row for each API."""
        return [
            (api.logical_id, f"{api.kind} API, gateway", "  ".join(api.urls))
            for opened in self._opened.values()
            for api in opened.apis
        ]

    def notes(self) -> list[str]:
        """Return what of the APIs is not emulated, a sentence for each, where a gateway is open."""
        return self._notes if self._opened else []

    async def stop(self) -> None:
        """Close every gateway."""
        self.recorder.stop()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for port in list(self._opened):
            await self._close(port)
        await self._functions.stop()

    async def _close(self, port: int) -> None:
        opened = self._opened.pop(port, None)
        if opened is not None:
            await opened.gateway.stop()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_OWNERS_EVERY_SECONDS)
            for port, opened in list(self._opened.items()):
                if opened.owner.pid != os.getpid() and not opened.owner.is_running():
                    with contextlib.suppress(OSError):
                        await self._close(port)
