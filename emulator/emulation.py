"""Everything that a local run needs besides `sam`: started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Self

from emulator import function_notes, garbage, options
from emulator.aws.access_denied import DeniedCalls
from emulator.aws.clients import Clients, preload
from emulator.aws.destinations import Message, send, settings_of
from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.aws.provisioning import services
from emulator.aws.role_sessions import RoleSessions
from emulator.aws.stack import Stack
from emulator.aws.wire import WIRE as AWS_WIRE
from emulator.backing_services import BackingServices
from emulator.command_names import option
from emulator.control import ControlServer
from emulator.control_verbs import ControlVerbs
from emulator.credentials import Endpoint
from emulator.declared_functions import as_sam_describes_it
from emulator.engine import Engine, EngineError
from emulator.errors import EmulatorError
from emulator.events.event_sources import undelivered_events
from emulator.events.function_events import FunctionEvents
from emulator.gateway import ServedApi
from emulator.gateway.template_apis import TemplateApis
from emulator.gateway_ports import GatewayPorts
from emulator.installed_engine import container_network
from emulator.interpreters import InterpreterNotFoundError, find_interpreter
from emulator.processes.ports import Network
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam import build
from emulator.sam.sam_cli import account_variables
from emulator.sam.source_sync import BuiltFunction, SourceSync
from emulator.state_lock import StateLock
from sam_template import Template, TemplateError

log = logging.getLogger(__name__)

ENVIRONMENTS_PER_FUNCTION = 8
"""Execution environments that the engine starts for one function at most; further requests wait their turn."""


class Emulation:
    """The backing services, the stack of the template, the engine, the source sync and the control socket of a run."""

    def __init__(
        self,
        project: Project,
        paths: StatePaths,
        lock: StateLock,
        prepared: Awaitable[None],
        ministack: MiniStack | None,
        *,
        gateway_ports: Sequence[int] = (),
        on_reachable: Callable[[RunningEmulator], Awaitable[None]] | None = None,
    ) -> None:
        """Take what was begun before: `prepared` returns once the build is there, or raises as `build.prepare` does.

        `ministack` has been launched; without one `AWS_ENDPOINT_URL` says where AWS is.

        The gateway listens on the first of `gateway_ports` that is free, from the start; 0 means any free port.
        `on_reachable` is called while the stack of a template with an API is made: AWS and the engine answer by then,
        and the build is there.
        """
        self._project = project
        self._paths = paths
        self._prepared = prepared
        self._build = build.folder(project, paths)
        self._ministack = ministack
        self._gateway_ports = gateway_ports
        self._on_reachable = on_reachable
        self._lock = lock
        self._stop_requested = asyncio.Event()
        self._resources = contextlib.AsyncExitStack()
        self.started = time.monotonic()
        self.gateway: GatewayPorts | None = None
        self._substituted: list[str] = []

    async def __aenter__(self) -> Self:
        """Start. Raises `EmulatorError`; whatever was started until then is stopped."""
        async with contextlib.AsyncExitStack() as resources:
            try:
                await self._start(resources)
            except (TemplateError, MiniStackError, EngineError, InterpreterNotFoundError) as error:
                raise EmulatorError(str(error)) from error
            self._resources = resources.pop_all()
        garbage.collect_it_again()
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

    def request_stop(self) -> None:
        """Let `stop_requested` return."""
        self._stop_requested.set()

    async def _start(self, resources: contextlib.AsyncExitStack) -> None:
        is_container = options.runs_containers()
        enforces_iam, throttles = options.enforces_iam(), options.throttles()
        self._network = await asyncio.to_thread(container_network) if is_container else Network()
        self.backing_services = BackingServices(
            self._project.declaration.backing_services, self._project.root, self._paths.valkey_log, self._network
        )
        shutil.rmtree(self._paths.sam_temporary, ignore_errors=True)  # of an emulator that was killed
        self._paths.sam_temporary.mkdir()
        resources.callback(shutil.rmtree, self._paths.sam_temporary, ignore_errors=True)
        self._events = FunctionEvents()
        await self._events.start()
        resources.push_async_callback(self._events.stop)
        self.template, endpoint, _ = await _all_of(
            self._load(),
            self._start_aws(resources, enforces_iam=enforces_iam),
            self.backing_services.start(resources),
        )
        engine = None if is_container else await self._start_engine(resources, endpoint)
        self.running = RunningEmulator(
            self._lock.owner,
            endpoint,
            engine,
            str(self._paths.control_socket),
            self._project.region,
            str(self._project.installed / "sam"),
        )
        self.stack, source_sync, *_ = await _all_of(
            asyncio.to_thread(self._create_stack, self.template, endpoint),
            self._sync_sources(resources),
            self._tell_that_it_is_reachable(),
            self.backing_services.filled(),
            self._preloading,
        )
        self.notes = self._notes_of_functions(is_container=is_container)
        if source_sync.failure:
            self.notes.append(source_sync.failure)
        self.denied_calls = DeniedCalls(self.stack)
        self.backing_services.observe_errors("aws", self.denied_calls.observe)
        if engine is not None:
            self._roles = RoleSessions(
                self.stack.role_credentials,
                self.template.functions.keys() - set(function_notes.without_role(self.template, self.stack.created)),
            )
            await resources.enter_async_context(self._roles)
        control = ControlServer(self._paths.control_socket, ControlVerbs(self).all())
        await resources.enter_async_context(control)
        if engine is not None:
            self.gateway = self._serve_functions(endpoint, throttles=throttles)
            resources.push_async_callback(self._events.stop)  # before the engine
            resources.push_async_callback(self.gateway.stop)
        await self._open_first(self._gateway_ports)
        self._paths.write_running(self.running)
        resources.callback(self._paths.forget_running)

    async def _start_aws(self, resources: contextlib.AsyncExitStack, *, enforces_iam: bool) -> Endpoint:
        """Return the endpoint that `AWS_ENDPOINT_URL` names, else the MiniStack of this emulation."""
        ministack = self._ministack
        if ministack is None:
            self.iam = "left to your endpoint"
            return Endpoint(await asyncio.to_thread(options.endpoint_url), options.EXTERNAL_ROOT)
        self.iam = "enforced" if enforces_iam else "off"
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
            name=self._project.stack_name,
            declaration=self._project.declaration,
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

    async def _start_engine(self, resources: contextlib.AsyncExitStack, endpoint: Endpoint) -> str:
        """Start the engine, which finds out what this machine lets it do, and return where it is."""
        self.engine = Engine(
            self._paths.engine_socket,
            installed=self._project.installed,
            credentials=lambda function: self._roles.credentials(function),
            account=account_variables(endpoint, self._project.region),
            max_environments=ENVIRONMENTS_PER_FUNCTION,
        )
        await self.engine.start()
        resources.push_async_callback(self.engine.stop)
        return f"unix://{self._paths.engine_socket}"

    async def _load(self) -> Template:
        """Load the template, and begin to read what its stack is made with."""
        template = await asyncio.to_thread(self._project.load_template)
        self.has_api = any(api.routes for api in TemplateApis(template).apis())
        self._preloading = asyncio.create_task(asyncio.to_thread(preload, services(template), self._project.models))
        return template

    async def _tell_that_it_is_reachable(self) -> None:
        if self._on_reachable is not None and self.has_api:
            await self._prepared
            await self._on_reachable(self.running)

    async def _sync_sources(self, resources: contextlib.AsyncExitStack) -> SourceSync:
        """Bring what `sam build` made to the sources, and keep it there."""
        await self._prepared
        return await asyncio.to_thread(lambda: resources.enter_context(SourceSync(self._built_functions())))

    def _built_functions(self) -> list[BuiltFunction]:
        find = functools.cache(find_interpreter)  # each search runs interpreters
        built = {name: build.code_folder(self._build, name) for name in self.template.functions}
        self._substituted = function_notes.substituted(self.template, find)
        return [
            BuiltFunction(
                sources=function.code_uri,
                build=built[name],
                interpreter=find(function.runtime).path,
                packaging=self._project.declaration.packaging,
            )
            for name, function in self.template.functions.items()
            if function.runtime.startswith("python") and built[name].is_dir()
        ]

    def _notes_of_functions(self, *, is_container: bool) -> list[str]:
        if is_container:
            notes = function_notes.in_containers(self.template, self.stack.environment)
            return [*notes, *undelivered_events(self.template)]
        build_command = self._project.declaration.build_command
        notes = function_notes.on_engine(self.template, self.stack.created, build_command)
        return [*notes, *self._substituted]

    def _serve_functions(self, endpoint: Endpoint, *, throttles: bool) -> GatewayPorts:
        """Return the gateway, which serves nothing yet, and let events reach the functions of the engine."""
        gateway = GatewayPorts(
            self.engine,
            self.template,
            self.stack,
            self._build,
            self._paths.access_logs,
            endpoint.root.environment(),
            throttles=throttles,
        )
        self.engine.exposed_headers = gateway.exposed_headers()
        self.engine.temp_mebibytes = {
            name: function.ephemeral_storage for name, function in self.template.functions.items()
        }
        self._serve_events(endpoint)
        return gateway

    def _serve_events(self, endpoint: Endpoint) -> None:
        """Run the functions for what the endpoint delivers, in the environments that requests over HTTP have."""
        root = endpoint.root.environment()
        declared = {
            name: as_sam_describes_it(
                self.template,
                name,
                self._build,
                {**root, **self.stack.environment(name)},
                self.engine.find_image,
                self.engine.layers.merged,
            )
            for name in self.template.functions
        }
        refused = [(name, function.refusal) for name, function in declared.items() if function.refusal]
        self.notes += [f"Not run: {name}. {refusal}" for name, refusal in refused]
        names = {self.stack.created[name].ref: name for name in declared}
        clients = Clients(endpoint, self.template.region)
        settings = functools.partial(settings_of, clients)
        self._events.serve(self.engine.functions, declared, names, settings, self._send_as_function)

    async def _send_as_function(self, function: str, message: Message) -> None:
        """Send what became of an event, with the credentials of the function's role."""
        role = await self._roles.credentials(function)
        clients = Clients(self.running.endpoint, self.template.region, role=role)
        await asyncio.to_thread(send, clients, message)

    async def open_gateway(self, port: int, owner: ProcessIdentity | None = None) -> list[ServedApi]:
        """Serve the template's APIs from `port` on until `owner` (None: this process) ends; 0 means free ports.

        Raises `EmulatorError` when a port is taken, or when functions run in containers.
        """
        if self.gateway is None:
            raise EmulatorError(
                f"The gateway runs functions on the emulator's own engine: leave ENGINE away, or use "
                f"{option('front')}=sam."
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


async def _all_of(*awaitables: Awaitable[Any]) -> list[Any]:
    """Return what each returns. The first error is raised when all have ended: nothing is stopped while it starts."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes
