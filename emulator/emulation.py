"""Everything that a local run needs besides `sam`: started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import asdict, replace
from typing import Any, Self

from emulator import build, options
from emulator.aws.access_denied import DeniedCalls
from emulator.aws.clients import preload
from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.aws.provisioning import services
from emulator.aws.role_sessions import RoleSessions
from emulator.aws.stack import Stack
from emulator.aws.wire import WIRE as AWS_WIRE
from emulator.backing_services import BackingServices
from emulator.control import ControlServer
from emulator.credentials import Endpoint
from emulator.engine import Engine, EngineError
from emulator.engine.function import CONCURRENCY_VARIABLE
from emulator.errors import EmulatorError
from emulator.function_events import FunctionEvents
from emulator.gateway import ServedApi
from emulator.gateway_ports import GatewayPorts, as_sam_describes_it
from emulator.installed_engine import container_network
from emulator.paths import INSTALLED, RunningEmulator, StatePaths
from emulator.processes.ports import Network
from emulator.processes.process_identity import ProcessIdentity
from emulator.sam_cli import account_variables
from emulator.source_sync import BuiltFunction, SourceSync
from emulator.state_lock import StateLock
from sam_template import Template, TemplateError
from sam_template.repository import TEMPLATE
from tools.interpreters import InterpreterNotFoundError, find_interpreter

log = logging.getLogger(__name__)

ENVIRONMENTS_PER_FUNCTION = 8
"""Execution environments that the engine starts for one function at most; further requests wait their turn."""
LOCAL_PARAMETERS = {"EnvironmentsPerFunction": "64"}
"""What a local run sets in the template: `sam local` hands that many requests to one function at once."""


class Emulation:
    """The backing services, the stack of the template, the engine, the source sync and the control socket of a run."""

    def __init__(
        self, paths: StatePaths, lock: StateLock, ministack: MiniStack | None, *, gateway_ports: Sequence[int] = ()
    ) -> None:
        """`ministack` has been launched; without one `AWS_ENDPOINT_URL` says where AWS is.

        The gateway listens on the first of `gateway_ports` that is free, from the start; 0 means any free port.
        """
        self._paths = paths
        self._ministack = ministack
        self._gateway_ports = gateway_ports
        self._lock = lock
        self._stop_requested = asyncio.Event()
        self._resources = contextlib.AsyncExitStack()
        self._started = time.monotonic()
        self.gateway: GatewayPorts | None = None

    async def __aenter__(self) -> Self:
        """Start. Raises `EmulatorError`; whatever was started until then is stopped."""
        async with contextlib.AsyncExitStack() as resources:
            try:
                await self._start(resources)
            except (TemplateError, MiniStackError, EngineError, InterpreterNotFoundError) as error:
                raise EmulatorError(str(error)) from error
            self._resources = resources.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._resources.aclose()

    @property
    def failure(self) -> asyncio.Future[str]:
        """Done, with a sentence, when a process that this emulation started has ended by itself."""
        return self.backing_services.failure

    async def stop_requested(self) -> None:
        """Return when another command asked this emulation to stop."""
        await self._stop_requested.wait()

    async def _start(self, resources: contextlib.AsyncExitStack) -> None:
        is_container = options.runs_containers()
        enforces_iam, throttles = options.enforces_iam(), options.throttles()
        self._network = await asyncio.to_thread(container_network) if is_container else Network()
        self.backing_services = BackingServices(self._paths.valkey_log, self._network)
        self._events = FunctionEvents()
        await self._events.start()
        resources.push_async_callback(self._events.stop)
        (self.template, functions), endpoint, _ = await _all_of(
            asyncio.to_thread(self._load_template),
            self._start_aws(resources, enforces_iam=enforces_iam),
            self.backing_services.start(resources),
        )
        self.stack = await asyncio.to_thread(self._create_stack, self.template, endpoint)
        self._notes = self._calls_of_real_aws() if is_container else self._limits_of_functions()
        self._denied_calls = DeniedCalls(self.stack)
        self.backing_services.observe_errors("aws", self._denied_calls.observe)
        engine = None if is_container else await self._start_engine(resources, endpoint)
        resources.enter_context(SourceSync(functions))
        self.running = RunningEmulator(self._lock.owner, endpoint, engine, str(self._paths.control_socket))
        control = ControlServer(
            self._paths.control_socket,
            {
                "identity": self._identify,
                "status": self._status,
                "reset": self._reset,
                "fault": self._fault,
                "gateway": self._open_gateway,
                "stop": self._stop,
            },
        )
        await resources.enter_async_context(control)
        if engine is not None:
            self.gateway = GatewayPorts(
                self._engine,
                self.template,
                self.stack,
                self._paths.build,
                self._paths.access_logs,
                endpoint.root.environment(),
                throttles=throttles,
            )
            self._engine.exposed_headers = self.gateway.exposed_headers()
            self._serve_events(endpoint)
            resources.push_async_callback(self._events.stop)  # before the engine
            resources.push_async_callback(self.gateway.stop)
        await self._open_first(self._gateway_ports)
        self._paths.write_running(self.running)
        resources.callback(self._paths.forget_running)

    async def _start_aws(self, resources: contextlib.AsyncExitStack, *, enforces_iam: bool) -> Endpoint:
        """Return the endpoint that `AWS_ENDPOINT_URL` names, else the MiniStack of this emulation."""
        ministack = self._ministack
        if ministack is None:
            self._iam = "left to your endpoint"
            return Endpoint(await asyncio.to_thread(options.endpoint_url), options.EXTERNAL_ROOT)
        self._iam = "enforced" if enforces_iam else "off"
        await ministack.start()
        resources.push_async_callback(ministack.stop)
        self.backing_services.watch(resources, "MiniStack", ministack, self._paths.ministack_log)
        port = int(ministack.endpoint_url.rpartition(":")[2])
        address = await self.backing_services.proxy(resources, "aws", port, AWS_WIRE)
        url = f"http://{self._network.listen}:{address.rpartition(':')[2]}"
        return replace(ministack.endpoint, url=url, admin_url=ministack.endpoint_url)

    def _create_stack(self, template: Template, endpoint: Endpoint) -> Stack:
        stack = Stack(
            template,
            endpoint,
            parameters=self.backing_services.parameters,
            secrets=self.backing_services.secrets,
            is_strict=options.is_strict(),
            functions_url=self._events.url,
        )
        stack.create()
        self.sample_items = stack.load_sample_data()
        variables = json.dumps(stack.sam_environment(), indent=2)
        variables = variables.replace(f"//{self._network.listen}:", f"//{self._network.reached_as}:")
        self._paths.sam_environment.write_text(variables)
        return stack

    def _limits_of_functions(self) -> list[str]:
        """Return a sentence for each way in which functions here are less than in AWS, if there are any."""
        functions = self.template.functions
        foreign = [name for name, function in functions.items() if not function.runtime.startswith("python")]
        layered = [name for name in functions if self.template.evaluated(name).get("Layers")]
        behind_apis = {route.function: None for route in self.template.routes}
        single = [name for name in behind_apis if CONCURRENCY_VARIABLE not in functions[name].environment]
        remarks = {
            "Not run: {}. Only Python functions of PackageType Zip run here; the others need ENGINE=docker.": foreign,
            "Without their layers, except under `sam local`: {}.": layered,
            "One request at a time under `sam local`: {}. SAM CLI sends more where the template declares the variable "
            f"{CONCURRENCY_VARIABLE}.": single,
        }
        return [remark.format(", ".join(names)) for remark, names in remarks.items() if names]

    def _calls_of_real_aws(self) -> list[str]:
        """Return a sentence that names the functions whose containers are told no endpoint, if there are any.

        SAM CLI passes a container only the variables that the template declares.
        """
        unaware = [name for name in self.template.functions if not self.stack.environment(name).get("AWS_ENDPOINT_URL")]
        sentence = (
            f"Calls the real AWS: {', '.join(unaware)}. A container has no endpoint but the template's: declare "
            "AWS_ENDPOINT_URL, or leave ENGINE away."
        )
        return [sentence] if unaware else []

    async def _start_engine(self, resources: contextlib.AsyncExitStack, endpoint: Endpoint) -> str:
        roles = RoleSessions(self.stack.role_credentials, self.template.functions)
        await resources.enter_async_context(roles)
        self._engine = Engine(
            self._paths.engine_socket,
            installed=INSTALLED,
            credentials=roles.credentials,
            account=account_variables(endpoint),
            max_environments=ENVIRONMENTS_PER_FUNCTION,
        )
        await self._engine.start()
        resources.push_async_callback(self._engine.stop)
        return f"unix://{self._paths.engine_socket}"

    def _load_template(self) -> tuple[Template, list[BuiltFunction]]:
        """Return the template, and the functions that `sam build` made of it."""
        template = _load_template()
        build.prepare(self._paths)
        find = functools.cache(find_interpreter)  # each search runs interpreters
        return template, [
            BuiltFunction(
                sources=function.code_uri,
                build=self._paths.build / function.logical_id,
                interpreter=find(function.runtime).path,
            )
            for function in template.functions.values()
            if function.runtime.startswith("python")
        ]

    def _serve_events(self, endpoint: Endpoint) -> None:
        """Run the functions for what the endpoint delivers, in the environments that requests over HTTP have."""
        root = endpoint.root.environment()
        declared = {
            name: as_sam_describes_it(
                self.template, name, self._paths.build / name, {**root, **self.stack.environment(name)}
            )
            for name in self.template.functions
        }
        names = {self.stack.created[name].ref: name for name in declared}
        self._events.serve(self._engine.functions, declared, names)

    async def _identify(self, _: str) -> dict[str, Any]:
        return asdict(self.running.process)

    async def _status(self, _: str = "") -> dict[str, Any]:
        return {
            "pid": self.running.process.pid,
            "endpoint_url": self.running.endpoint_url,
            "iam": self._iam,
            "denied_calls": self._denied_calls.describe(),
            "engine": self.running.engine,
            "backing_services": self.backing_services.rows,
            "faults": self.backing_services.faults.describe(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "apis": self.gateway.rows() if self.gateway is not None else [],
            "resources": self.stack.summary(),
            "notes": [*self._notes, *self.stack.notes(), *(self.gateway.notes() if self.gateway is not None else [])],
            "sample_items": self.sample_items,
        }

    async def _reset(self, _: str) -> dict[str, Any]:
        await asyncio.to_thread(self.stack.reset)
        return {"sample_items": self.sample_items}

    async def _fault(self, text: str) -> dict[str, Any]:
        await self.backing_services.faults.apply(text)
        return {"faults": self.backing_services.faults.describe()}

    async def open_gateway(self, port: int, owner: ProcessIdentity | None = None) -> list[ServedApi]:
        """Serve the template's APIs from `port` on until `owner` (None: this process) ends; 0 means free ports.

        Raises `EmulatorError` when a port is taken, or when functions run in containers.
        """
        if self.gateway is None:
            raise EmulatorError(
                "The gateway runs functions on the emulator's own engine: leave ENGINE away, or use FRONT=sam."
            )
        return await self.gateway.open(port, owner or self.running.process)

    async def _open_first(self, ports: Sequence[int]) -> None:
        for port in ports:
            try:
                await self.open_gateway(port)
            except EmulatorError:
                # Another emulator may have taken it a moment ago: only listening tells.
                if port == ports[-1]:
                    raise
            else:
                return

    async def _open_gateway(self, text: str) -> dict[str, Any]:
        asked = json.loads(text)
        served = await self.open_gateway(int(asked["port"]), ProcessIdentity(**asked["owner"]))
        return {"apis": [asdict(api) for api in served]}

    async def _stop(self, _: str) -> dict[str, Any]:
        self._stop_requested.set()
        return await self._identify("")


def _load_template() -> Template:
    """Load the template, and what the clients of its resources need."""
    template = Template.load(TEMPLATE, LOCAL_PARAMETERS)
    preload(services(template))
    return template


async def _all_of(*awaitables: Awaitable[Any]) -> list[Any]:
    """Return what each returns. The first error is raised when all have ended: nothing is stopped while it starts."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes
