"""What a running emulation answers to the other commands: status, report, reset, faults, gateway, recording, stop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from emulator.aws.access_denied import DeniedCalls
from emulator.aws.stack import Stack
from emulator.backing_services import BackingServices
from emulator.control import Verb
from emulator.engine import Engine
from emulator.errors import EmulatorError
from emulator.gateway import ServedApi
from emulator.gateway_ports import GatewayPorts
from emulator.metrics import lambda_prices
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator
from sam_template import Template


class Tells(Protocol):
    """What the verbs need to know of an emulation.

    `started` is on the monotonic clock. Without a `gateway` functions run in containers, and there is no `engine`.
    """

    running: RunningEmulator
    template: Template
    stack: Stack
    backing_services: BackingServices
    engine: Engine
    gateway: GatewayPorts | None
    denied_calls: DeniedCalls
    iam: str
    notes: list[str]
    sample_items: int
    has_api: bool
    started: float

    async def open_gateway(self, port: int, owner: ProcessIdentity | None = None) -> Sequence[ServedApi]:
        """Serve the template's APIs from `port` on until `owner` ends."""

    def request_stop(self) -> None:
        """Have the emulation stop."""


class ControlVerbs:
    """The verbs of `emulation`. Each takes a text, returns what becomes JSON, and raises `EmulatorError`."""

    def __init__(self, emulation: Tells) -> None:
        self._emulation = emulation

    def all(self) -> dict[str, Verb]:
        """Return each verb by its name."""
        return {
            "identity": self._identify,
            "status": self._status,
            "reset": self._reset,
            "fault": self._fault,
            "report": self._report,
            "gateway": self._open_gateway,
            "record": self._record,
            "stop": self._stop,
        }

    async def _identify(self, _: str) -> dict[str, Any]:
        return asdict(self._emulation.running.process)

    async def _status(self, _: str) -> dict[str, Any]:
        emulation = self._emulation
        gateway = emulation.gateway
        engine_notes = await emulation.engine.notes() if gateway is not None else []
        gateway_notes = gateway.notes() if gateway is not None else []
        return {
            "pid": emulation.running.process.pid,
            "endpoint_url": emulation.running.endpoint_url,
            "iam": emulation.iam,
            "denied_calls": emulation.denied_calls.describe(),
            "engine": emulation.running.engine,
            "backing_services": emulation.backing_services.rows,
            "faults": emulation.backing_services.faults.describe(),
            "uptime_seconds": round(time.monotonic() - emulation.started, 1),
            "apis": gateway.rows() if gateway is not None else [],
            "has_api": emulation.has_api,
            "resources": emulation.stack.summary(),
            "notes": list(dict.fromkeys([*emulation.notes, *engine_notes, *emulation.stack.notes(), *gateway_notes])),
            "sample_items": emulation.sample_items,
        }

    async def _report(self, _: str) -> dict[str, Any]:
        emulation = self._emulation
        if emulation.gateway is None:
            raise EmulatorError("The report is about functions on the emulator's own engine: leave ENGINE away.")
        from emulator import usage_report  # statistics are large, and few ask

        running = emulation.engine.functions
        return {
            "uptime_seconds": round(time.monotonic() - emulation.started, 1),
            "functions": await usage_report.functions(running, emulation.template),
            "routes": usage_report.routes(running.metrics, emulation.gateway.apis_with),
            "denied_calls": emulation.denied_calls.describe(),
            "prices": lambda_prices.described(),
        }

    async def _reset(self, _: str) -> dict[str, Any]:
        await asyncio.to_thread(self._emulation.stack.reset)
        return {"sample_items": self._emulation.sample_items}

    async def _fault(self, text: str) -> dict[str, Any]:
        faults = self._emulation.backing_services.faults
        await faults.apply(text)
        return {"faults": faults.describe()}

    async def _open_gateway(self, text: str) -> dict[str, Any]:
        asked = json.loads(text)
        served = await self._emulation.open_gateway(int(asked["port"]), ProcessIdentity(**asked["owner"]))
        return {"apis": [asdict(api) for api in served]}

    async def _record(self, folder: str) -> dict[str, Any]:
        """Record into `folder` for some seconds from now; "" stops."""
        gateway = self._emulation.gateway
        if gateway is None:
            raise EmulatorError(
                "Only the gateway records, and it runs on the emulator's own engine: leave ENGINE away."
            )
        if not folder:
            return await asyncio.to_thread(gateway.recorder.stop)
        told = await asyncio.to_thread(gateway.recorder.extend, Path(folder))
        return {**told, "apis": gateway.rows()}

    async def _stop(self, _: str) -> dict[str, Any]:
        self._emulation.request_stop()
        return await self._identify("")
