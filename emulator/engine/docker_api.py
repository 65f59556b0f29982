"""The part of the Docker Engine API that SAM CLI calls.

Source: Docker Engine API v1.35 reference; the calls were read off SAM CLI 1.170 (`samcli/local/docker`) and docker-py
7.2. Any version prefix is served. What is not served answers 501 with its name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from emulator.engine import durable_functions, images
from emulator.engine.built_images import CONTEXT_LIMIT_BYTES, BuildRequest
from emulator.engine.container import Container
from emulator.engine.errors import EngineError
from emulator.engine.image_build.builder import BuildSettings
from emulator.engine.images import Image
from emulator.engine.log_stream import Attachment
from emulator.processes.peer import process_of
from emulator.processes.process_identity import ProcessIdentity

_LOG = logging.getLogger(__name__)
_API_VERSION = "1.44"
_NAME = "sam-emulator"
_HEADERS = {
    "Api-Version": _API_VERSION,
    "Docker-Experimental": "false",
    "Ostype": "linux",
    "Server": _NAME,
}
_VERSIONED = re.compile(r"^/v\d+(\.\d+)*(?=/)")
_NETWORK = "bridge"
_CHUNK_BYTES = 1024 * 1024
_SHORT_ID = 12
_TRUE = ("1", "true", "True")


class Backend(Protocol):
    """What the routes need of an engine."""

    def image(self, name: str, client: ProcessIdentity | None) -> Image | None:
        """Return an image by its name."""

    async def build(
        self, request: BuildRequest, client: ProcessIdentity | None, say: Callable[[str], None]
    ) -> Image | None:
        """Build an image from a tar file, and `say` what is done."""

    async def remove_image(self, name: str) -> bool:
        """Forget an image that was built."""

    async def create(self, image: Image, body: Mapping[str, Any], owner: ProcessIdentity | None) -> Container:
        """Make a container."""

    def find(self, name: str) -> Container | None:
        """Return a container by its id."""

    def containers(self) -> list[Container]:
        """Return every container."""

    async def remove(self, container: Container) -> None:
        """Remove a container."""

    async def remove_ownerless(self) -> None:
        """Remove the containers of unknown clients."""


class DockerApi:
    """The routes over one engine."""

    def __init__(self, engine: Backend) -> None:
        self._engine = engine
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Awaitable[web.StreamResponse]]]] = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in (
                ("GET|HEAD", r"/_ping", self._ping),
                ("GET", r"/version", self._version),
                ("GET", r"/info", self._info),
                ("GET", r"/events", self._events),
                ("GET", r"/networks/(?P<name>[^/]+)", self._inspect_network),
                ("POST", r"/networks/(?P<name>[^/]+)/connect", self._connect_network),
                ("GET", r"/images/json", self._list_images),
                ("GET", r"/images/(?P<name>.+)/json", self._inspect_image),
                ("DELETE", r"/images/(?P<name>.+)", self._remove_image),
                ("GET", r"/distribution/(?P<name>.+)/json", self._distribution),
                ("POST", r"/images/create", self._pull),
                ("POST", r"/build", self._build),
                ("POST", r"/containers/create", self._create),
                ("GET", r"/containers/json", self._list_containers),
                ("GET", r"/containers/(?P<name>[^/]+)/json", self._inspect),
                ("POST", r"/containers/(?P<name>[^/]+)/start", self._start),
                ("POST", r"/containers/(?P<name>[^/]+)/attach", self._attach),
                ("POST", r"/containers/(?P<name>[^/]+)/(?:stop|kill)", self._stop),
                ("DELETE", r"/containers/(?P<name>[^/]+)", self._remove),
            )
        ]

    async def dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request (aiohttp, "Low Level Server")."""
        path = _VERSIONED.sub("", request.path)
        for methods, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if found and request.method in methods.split("|"):
                try:
                    return await handler(request, **found.groupdict())
                except Exception as error:
                    _LOG.exception("%s %s failed", request.method, path)
                    return _error(500, f"The engine failed: {error}")
        message = (
            f"The engine does not serve {request.method} {path}: run again with ENGINE=docker if SAM CLI needs it."
        )
        return _error(501, message)

    async def _ping(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="OK", headers={**_HEADERS, "Cache-Control": "no-cache"})

    async def _version(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json({"Version": _NAME, "ApiVersion": _API_VERSION, "MinAPIVersion": "1.24", "Os": "linux"})

    async def _info(self, _: web.BaseRequest) -> web.StreamResponse:
        containers = self._engine.containers()
        running = sum(container.is_running for container in containers)
        return _json({"Name": _NAME, "Containers": len(containers), "ContainersRunning": running, "Images": 0})

    async def _connect_network(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        # Processes have the network of this machine; to connect one to a bridge changes nothing.
        return _error(404, f"network {name} not found") if name != _NETWORK else _json({})

    async def _inspect_network(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        # Processes reach what listens on this machine where it listens.
        if name != _NETWORK:
            return _error(404, f"network {name} not found")
        return _json({"Name": name, "Id": name, "IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}})

    async def _events(self, request: web.BaseRequest) -> web.StreamResponse:
        # SAM CLI watches images here; the engine's never change. The head is sent at once and the answer held open.
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        peer = _peer(request)
        try:
            await asyncio.Event().wait()
        finally:
            if peer is None:
                await self._engine.remove_ownerless()
        return response

    async def _list_images(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json([])

    async def _inspect_image(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        image = self._engine.image(name, _peer(request))
        return _json(image.inspection()) if image else _error(404, images.no_such_image(name))

    async def _remove_image(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        if not await self._engine.remove_image(name):
            return _error(404, images.no_such_image(name))
        return _json([{"Untagged": name}])

    async def _distribution(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        image = self._engine.image(name, _peer(request))
        return _json(image.distribution()) if image else _error(404, images.no_such_image(name))

    async def _pull(self, request: web.BaseRequest) -> web.StreamResponse:
        name = f"{request.query.get('fromImage', '')}:{request.query.get('tag', 'latest')}"
        if self._engine.image(name, _peer(request)) is None:
            return _error(404, images.cannot_run(name))
        return _json_lines({"status": f"Image is up to date for {name}"})

    async def _build(self, request: web.BaseRequest) -> web.StreamResponse:
        name = request.query.get("t", "")
        if request.query.get("remote"):
            return _error(400, "The engine builds from a context that is sent to it, not from a URL.")
        try:
            arguments = json.loads(request.query.get("buildargs") or "{}")
            settings = BuildSettings(
                {str(key): str(value) for key, value in arguments.items()}, request.query.get("target", "")
            )
        except (ValueError, AttributeError):
            return _error(400, "buildargs is no JSON object.")
        with tempfile.TemporaryFile() as context:
            async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
                if context.tell() <= CONTEXT_LIMIT_BYTES:  # the rest is not kept; the build then fails
                    await asyncio.to_thread(context.write, chunk)
            wanted = BuildRequest(name, context, request.query.get("dockerfile") or "Dockerfile", settings)
            return await self._stream_build(request, wanted)

    async def _stream_build(self, request: web.BaseRequest, wanted: BuildRequest) -> web.StreamResponse:
        """Send what the build says as it says it: one JSON object a line, an error as the last."""
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        loop, said = asyncio.get_running_loop(), asyncio.Queue[str | None]()
        is_wanted = True

        def say(text: str) -> None:
            if not is_wanted:
                raise EngineError("The client that wanted the image is gone.")
            if text:
                loop.call_soon_threadsafe(said.put_nowait, text)

        building = asyncio.ensure_future(self._engine.build(wanted, _peer(request), say))
        building.add_done_callback(lambda _: loop.call_soon(said.put_nowait, None))
        try:
            while (text := await said.get()) is not None:
                await response.write(_json_line({"stream": text}))
            image = building.result()
        except ValueError as error:
            await response.write(_json_line({"error": str(error), "errorDetail": {"message": str(error)}}))
        else:
            if image is not None:
                digest = image.digest.removeprefix("sha256:")[:_SHORT_ID]
                await response.write(_json_line({"stream": f"Successfully built {digest}\n"}))
            await response.write(_json_line({"stream": f"Successfully tagged {wanted.name}\n"}))
        finally:
            is_wanted = False  # the thread of the build ends its command, and then itself
            await asyncio.gather(building, return_exceptions=True)
        await response.write_eof()
        return response

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.json()
        except ValueError:
            return _error(400, "The body is not JSON.")
        name = str(body.get("Image", ""))
        image = self._engine.image(name, _peer(request))
        if image is None:
            return _error(404, f"{images.no_such_image(name)}. {images.cannot_run(name)}")
        try:
            container = await self._engine.create(image, body, _peer(request))
        except ValueError as error:
            return _error(400, str(error))
        except EngineError as error:
            return _error(500, str(error))
        return _json({"Id": container.id, "Warnings": []}, status=201)

    async def _list_containers(self, request: web.BaseRequest) -> web.StreamResponse:
        everyone = request.query.get("all") in _TRUE
        return _json([each.summary() for each in self._engine.containers() if everyone or each.is_running])

    async def _inspect(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        container = self._engine.find(name)
        if container is None and name == durable_functions.EMULATOR_CONTAINER:
            return _json(durable_functions.emulator_inspection())
        return _json(container.inspection()) if container else _no_such_container(name)

    async def _start(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        container = self._engine.find(name)
        if container is None:
            return _no_such_container(name)
        try:
            await container.start()
        except EngineError as error:
            return _error(500, str(error))
        return web.Response(status=204, headers=_HEADERS)

    async def _attach(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        container = self._engine.find(name)
        if container is None:
            return _no_such_container(name)
        connection = _connection(request)
        if connection is None:
            return _error(400, "The connection cannot be attached to.")
        headers = {**_HEADERS, "Connection": "Upgrade", "Upgrade": "tcp"}
        headers["Content-Type"] = "application/vnd.docker.raw-stream"
        response = web.StreamResponse(status=101, headers=headers)
        await response.prepare(request)
        attachment = Attachment(connection)
        try:
            container.log.attach(attachment, replay=request.query.get("logs") in _TRUE)
            await attachment.release()
            await attachment.closed.wait()
        finally:
            container.log.detach(attachment)
        return response

    async def _stop(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        container = self._engine.find(name)
        if container is None:
            return _no_such_container(name)
        await container.stop(float(request.query.get("t", "3")))
        return web.Response(status=204, headers=_HEADERS)

    async def _remove(self, _: web.BaseRequest, name: str) -> web.StreamResponse:
        container = self._engine.find(name)
        if container is None:
            return _no_such_container(name)
        await asyncio.shield(self._engine.remove(container))
        return web.Response(status=204, headers=_HEADERS)


def _connection(request: web.BaseRequest) -> socket.socket | None:
    if request.transport is None:
        return None
    found: socket.socket | None = request.transport.get_extra_info("socket")
    return found


def _peer(request: web.BaseRequest) -> ProcessIdentity | None:
    connection = _connection(request)
    return process_of(connection) if connection is not None else None


def _json(value: Any, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, headers=_HEADERS)


def _json_lines(*values: Mapping[str, Any]) -> web.Response:
    response = web.Response(body=b"".join(map(_json_line, values)), content_type="application/json", headers=_HEADERS)
    response.enable_chunked_encoding()
    return response


def _json_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\r\n"


def _error(status: int, message: str) -> web.Response:
    return _json({"message": message}, status)


def _no_such_container(name: str) -> web.Response:
    return _error(404, f"No such container: {name}")
