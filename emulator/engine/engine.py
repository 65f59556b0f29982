"""The container engine: its socket, its containers and their clean-up."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator.credentials import RoleCredentials, RoleCredentialsProvider
from emulator.engine import durable_functions, temporary_folder
from emulator.engine.built_images import BuildRequest, BuiltImages
from emulator.engine.container import Container, is_serving, serves_many_functions
from emulator.engine.docker_socket import DockerSocket
from emulator.engine.environment import Environment, EnvironmentSettings
from emulator.engine.errors import EngineError
from emulator.engine.function import Function
from emulator.engine.images import LAYERS_PREFIX, Image, cannot_run, find_build_image, refused_image
from emulator.engine.layers import MergedLayers
from emulator.engine.log_stream import WritesLines
from emulator.engine.mount_namespace.client import Launcher
from emulator.engine.running_function import RunningFunctions
from emulator.engine.runtimes import Runtimes
from emulator.processes.process_identity import ProcessIdentity

_LOG = logging.getLogger(__name__)
_OWNERS_EVERY_SECONDS = 0.3
_MAINTENANCE_EVERY_SECONDS = 5.0


class Engine:
    """Serves the Docker Engine API to SAM CLI on a unix socket and runs its containers as processes.

    `installed` is the folder in which the runtime interface client is kept. `images` is the folder of the images that
    are built, which outlive the engine; without it they are kept in `installed`. `credentials` gives a function's role
    credentials; without it functions have what SAM passes. `account` are the variables by which the AWS SDKs find the
    account, as every function gets them: `AWS_ENDPOINT_URL`, `AWS_REGION` and the like. `max_environments` bounds the
    processes of one function.
    """

    def __init__(
        self,
        socket_path: Path,
        *,
        installed: Path,
        images: Path | None = None,
        credentials: RoleCredentialsProvider | None = None,
        account: Mapping[str, str] | None = None,
        max_environments: int = 8,
    ) -> None:
        self._socket_path = socket_path
        self._image_folder = images or installed / "images"
        self._credentials = credentials
        self._account = account or {}
        self.functions = RunningFunctions(self._start_environment, max_environments)
        """The functions that run: the containers' and those of others who hold one."""
        self.exposed_headers: Mapping[str, str] = {}
        """For each function behind an API with CORS, what the API exposes; SAM CLI leaves it out."""
        self.temp_mebibytes: Mapping[str, int] = {}
        """For each function that declares one, the size of its /tmp; SAM CLI leaves it out."""
        self._containers: dict[str, Container] = {}
        self._runtimes = Runtimes(installed)
        self._docker: DockerSocket | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._temp_root: Path | None = None
        self._images: BuiltImages | None = None
        self._layers: MergedLayers | None = None
        self._launcher = Launcher()
        self._launching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen on the socket. Raises `EngineError` when another engine does."""
        self._socket_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket_path.parent.chmod(0o700)
        await asyncio.to_thread(temporary_folder.remove_abandoned)
        self._temp_root = temporary_folder.make()
        self._layers = MergedLayers(self._temp_root / "layers")
        self._images = BuiltImages(self._temp_root / "layers", self._image_folder)
        docker = DockerSocket(self, self._socket_path)
        try:
            await docker.start()
        except BaseException:
            shutil.rmtree(self._temp_root, ignore_errors=True)
            raise
        self._docker = docker
        self._keeper = asyncio.create_task(self._keep())
        self._launching = asyncio.create_task(self._launcher.start())

    async def stop(self) -> None:
        """End every environment, and remove the socket and the temp dirs."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await asyncio.gather(*(self.remove(container) for container in list(self._containers.values())))
        await self.functions.close()
        if self._docker is not None:
            await self._docker.stop()
            self._docker = None
        if self._launching is not None:
            await asyncio.gather(self._launching, return_exceptions=True)
        await self._launcher.stop()
        if self._temp_root is not None:
            await asyncio.to_thread(shutil.rmtree, self._temp_root, ignore_errors=True)
            self._temp_root = None
        if self._images is not None:
            self._images.close()

    def find_image(self, name: str) -> Image | None:
        """Return the image of that name for one who runs it without a container, None when there is none."""
        return self._images.find(name) if self._images is not None else None

    @property
    def layers(self) -> MergedLayers:
        """Return what merges the layers of functions that no container describes. The engine has been started."""
        if self._layers is None:
            raise EngineError("The engine has not been started.")
        return self._layers

    async def notes(self) -> list[str]:
        """Return a sentence for each way in which environments here are less than Lambda's, or changes not followed."""
        notes = self.functions.notes()
        if await self._usable_launcher() is not None:
            return notes
        sentence = (
            f"Functions have no file system of their own ({self._launcher.reason}): their code is not at /var/task but "
            "in the build, layers are not at /opt, and /tmp is this machine's."
        )
        return [sentence, *notes]

    def image(self, name: str, client: ProcessIdentity | None) -> Image | None:
        """Return the image of that name, None when the engine has no such image.

        A `sam` that serves an API or several functions would end because of one that cannot run. It gets an image whose
        containers answer each invocation with the reason.
        """
        found = self.find_image(name) or find_build_image(name)
        if found is None and not name.startswith(LAYERS_PREFIX) and serves_many_functions(client):
            return refused_image(name, cannot_run(name))
        return found

    async def build(
        self, request: BuildRequest, client: ProcessIdentity | None, say: Callable[[str], None]
    ) -> Image | None:
        """Build an image, and `say` what is done. Raises `ValueError` for a `client` of one function."""
        if self._images is None:
            raise ValueError("The engine has been stopped.")
        in_use = self._folders_in_use()
        image = None
        try:
            image = await asyncio.to_thread(self._images.build, request, say, in_use)
        except ValueError as error:
            if not serves_many_functions(client):
                raise
            self._images.add(refused_image(request.name, str(error)))
        self._images.prune(in_use | self.layers.held)
        return image

    async def remove_image(self, name: str) -> bool:
        """Forget an image that was built. Tell whether there was one."""
        if self._images is None:
            return False
        return await asyncio.to_thread(self._images.remove, name, self._folders_in_use())

    def _folders_in_use(self) -> set[Path]:
        held = [*(each.function for each in self._containers.values()), *self.functions.held()]
        return {folder for function in held for folder in function.folders}

    async def create(self, image: Image, body: Mapping[str, Any], owner: ProcessIdentity | None) -> Container:
        """Make a container for a function on `image` from the body of Docker's create call.

        Raises `ValueError` or `EngineError` with a sentence for the client.
        """
        function = await self._function(image, body, owner)
        if durable := await asyncio.to_thread(durable_functions.refusal, body):
            # A `sam` that does not serve yet would end; one that serves answers the request with the reason.
            if not serves_many_functions(owner) or await asyncio.to_thread(is_serving, owner):
                raise EngineError(durable)
            function = Function.refused(body, durable)
        if function.refusal:
            _LOG.warning("%s will not run. %s", function.name, function.refusal)
        container = Container(function, body, owner, self.functions, self.exposed_headers.get(function.name))
        container.lasts_until_served = bool(durable)
        self._containers[container.id] = container
        if function.runtime and not function.refusal:
            interpreter, _ = await self._runtimes.get(function.runtime)
            if not interpreter.exact:
                container.log.write(
                    f"{function.runtime} cannot run on this machine: the function runs on {interpreter.runtime}."
                )
        return container

    def find(self, name: str) -> Container | None:
        """Return the container with that id, or with an id that begins so."""
        exact = self._containers.get(name)
        if exact is not None or not name:
            return exact
        found = [container for container_id, container in self._containers.items() if container_id.startswith(name)]
        return found[0] if len(found) == 1 else None

    def containers(self) -> list[Container]:
        """Return every container."""
        return list(self._containers.values())

    async def remove(self, container: Container) -> None:
        """End a container and forget it."""
        self._containers.pop(container.id, None)
        await container.remove()

    async def remove_ownerless(self) -> None:
        """Remove the containers whose client the system did not name."""
        for container in [each for each in self._containers.values() if each.owner is None]:
            await self.remove(container)

    async def _function(self, image: Image, body: Mapping[str, Any], owner: ProcessIdentity | None) -> Function:
        if image.refusal:
            if not serves_many_functions(owner):
                raise EngineError(image.refusal)
            return Function.refused(body, image.refusal)
        try:
            await self._runtimes.get(image.runtime)
        except EngineError as error:
            if not serves_many_functions(owner):
                raise
            return Function.refused(body, str(error))
        try:
            function = Function.from_create_body(image.runtime, body, image)
        except EngineError as error:
            if not serves_many_functions(owner):
                raise
            return Function.refused(body, str(error))
        return replace(function, temp_mebibytes=self.temp_mebibytes.get(function.name, function.temp_mebibytes))

    async def _start_environment(self, function: Function, log: WritesLines) -> Environment:
        if function.refusal:
            raise EngineError(function.refusal)
        interpreter, runtime_dir = await self._runtimes.get(function.runtime)
        if self._temp_root is None:
            raise EngineError("The engine has been stopped.")
        if not function.task_root.is_dir():
            raise EngineError(f"The function's code is not at {function.task_root}: run `sam build`.")
        layers = await asyncio.to_thread(self.layers.merged_once, function.layers)
        function = replace(function, layers=layers)
        credentials = await self._role_credentials(function.name)
        settings = EnvironmentSettings(
            function,
            interpreter.path,
            runtime_dir,
            self._temp_root,
            log,
            credentials,
            self._account,
            await self._usable_launcher(),
        )
        environment = Environment(settings)
        starting = asyncio.ensure_future(environment.start())
        try:
            await asyncio.shield(starting)
        except BaseException:
            # Cancelled half way, asyncio would lose the socket or the process that it was about to return.
            await asyncio.gather(starting, return_exceptions=True)
            await environment.stop()
            raise
        return environment

    async def _usable_launcher(self) -> Launcher | None:
        if self._launching is not None:
            await asyncio.shield(self._launching)
        return None if self._launcher.reason else self._launcher

    async def _role_credentials(self, function_name: str) -> RoleCredentials | None:
        if self._credentials is None:
            return None
        try:
            return await self._credentials(function_name)
        except Exception as error:
            raise EngineError(f"The role of {function_name} gave no credentials: {error}") from error

    async def _keep(self) -> None:
        """Remove the containers of clients that are gone; replace environments that are no longer fit."""
        loop = asyncio.get_running_loop()
        maintained = loop.time()
        while True:
            await asyncio.sleep(_OWNERS_EVERY_SECONDS)
            gone = [each for each in self._containers.values() if each.owner and not each.owner.is_running()]
            gone += [each for each in self._containers.values() if each.lasts_until_served and is_serving(each.owner)]
            for error in await asyncio.gather(*map(self.remove, gone), return_exceptions=True):
                if isinstance(error, Exception):
                    _LOG.error("A container could not be removed: %s", error)
            if loop.time() - maintained >= _MAINTENANCE_EVERY_SECONDS:
                maintained = loop.time()
                self.functions.maintain()
