"""Everything that a local run needs besides `sam`: started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any, Self

from emulator.control import ControlServer
from emulator.credentials import RoleCredentials
from emulator.engine import Engine, EngineError
from emulator.errors import EmulatorError
from emulator.home import INSTALLED, REPOSITORY, Home, Running
from emulator.ministack import MiniStack, MiniStackError
from emulator.sam_cli import REGION
from emulator.source_sync import BuiltFunction, SourceSync
from emulator.stack import Stack
from emulator.template import Template, TemplateError
from tools.interpreters import Interpreter, InterpreterNotFoundError, find_interpreter

log = logging.getLogger(__name__)

ENVIRONMENTS_PER_FUNCTION = 8
"""Execution environments that the engine starts for one function at most; further requests wait their turn."""
LOCAL_PARAMETERS = {"EnvironmentsPerFunction": "64"}
"""What a local run sets in the template: `sam local` hands that many requests to one function at once."""


class Emulation:
    """The neighbours, the stack of the template, the engine, the source sync and the control socket of one home.

    `failure` is done, with a sentence, when a neighbour dies.
    """

    def __init__(self, home: Home, *, template: Path = REPOSITORY / "template.yaml", enforce_iam: bool = True) -> None:
        self._home = home
        self._template_path = template
        self._enforce_iam = enforce_iam
        self._stop_requested = asyncio.Event()
        self._resources = contextlib.AsyncExitStack()
        self._started = time.monotonic()
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

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

    async def stop_requested(self) -> None:
        """Return when another command asked this emulation to stop."""
        await self._stop_requested.wait()

    async def _start(self, resources: contextlib.AsyncExitStack) -> None:
        self._home.folder.mkdir(parents=True, exist_ok=True)
        self._home.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        resources.callback(shutil.rmtree, self._home.sockets, ignore_errors=True)
        try:
            async with asyncio.TaskGroup() as group:
                loading = group.create_task(asyncio.to_thread(Template.load, self._template_path, LOCAL_PARAMETERS))
                starting = group.create_task(self._start_ministack(resources))
        except* (TemplateError, MiniStackError) as errors:
            raise errors.exceptions[0] from None
        template, ministack = loading.result(), starting.result()
        self.template: Template = template
        self.stack = await asyncio.to_thread(self._create_stack, template, ministack.endpoint_url)
        engine = await self._start_engine(resources)
        resources.enter_context(SourceSync(list(self._built_functions())))
        control = ControlServer(
            self._home.control_socket, {"status": self._status, "reset": self._reset, "stop": self._stop}
        )
        await resources.enter_async_context(control)
        self.running = Running(os.getpid(), ministack.endpoint_url, engine, str(self._home.control_socket))
        self._home.write_running(self.running)
        resources.callback(self._home.forget_running)

    async def _start_ministack(self, resources: contextlib.AsyncExitStack) -> MiniStack:
        ministack = MiniStack(INSTALLED, log=self._home.ministack_log, enforce_iam=self._enforce_iam)
        await ministack.start()
        resources.push_async_callback(ministack.stop)
        watch = asyncio.create_task(self._watch(ministack))
        resources.push_async_callback(_cancel, watch)
        return ministack

    async def _watch(self, ministack: MiniStack) -> None:
        status = await ministack.wait()
        if not self.failure.done():
            self.failure.set_result(f"MiniStack ended with status {status}: see {self._home.ministack_log}.")

    def _create_stack(self, template: Template, endpoint_url: str) -> Stack:
        stack = Stack(template, endpoint_url, region=REGION)
        stack.create()
        self.sample_items = stack.load_sample_data()
        self._home.sam_environment.write_text(json.dumps(stack.sam_environment(), indent=2))
        return stack

    async def _start_engine(self, resources: contextlib.AsyncExitStack) -> str:
        self._engine = Engine(
            self._home.engine_socket,
            home=INSTALLED,
            credentials=self._role_credentials,
            max_environments=ENVIRONMENTS_PER_FUNCTION,
        )
        await self._engine.start()
        resources.push_async_callback(self._engine.stop)
        return f"unix://{self._home.engine_socket}"

    async def _role_credentials(self, function: str) -> RoleCredentials | None:
        if function not in self.template.functions:
            return None
        return await asyncio.to_thread(self.stack.role_credentials, function)

    def _built_functions(self) -> list[BuiltFunction]:
        return [
            BuiltFunction(
                sources=function.code_uri,
                build=REPOSITORY / ".aws-sam" / "build" / function.logical_id,
                interpreter=self.interpreter(function.runtime).path,
            )
            for function in self.template.functions.values()
        ]

    def interpreter(self, runtime: str) -> Interpreter:
        """Return the interpreter that runs the functions of `runtime` on this machine."""
        return find_interpreter(runtime)

    async def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "endpoint_url": self.running.endpoint_url,
            "engine": self.running.engine,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "resources": await asyncio.to_thread(self.stack.summary),
            "sample_items": self.sample_items,
        }

    async def _reset(self) -> dict[str, Any]:
        await asyncio.to_thread(self.stack.reset)
        return {"sample_items": self.sample_items}

    async def _stop(self) -> dict[str, Any]:
        self._stop_requested.set()
        return {"pid": os.getpid()}


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
