"""A gateway over a real socket, with functions that are Python callables, and a client that sends bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.engine.invocation import Outcome
from emulator.gateway.functions import UnknownFunctionError
from emulator.gateway.gateway import Gateway
from emulator.gateway.template_apis import TemplateApis
from sam_template import Template

_TEMPLATES: dict[str, Template] = {}
"""Translations take longer than the requests of most tests, and many tests have the same template."""

Handler = Callable[[dict[str, Any]], Any]


@dataclass
class Functions:
    """Functions by their logical ids; each gets the event and returns its answer, or an Outcome."""

    handlers: Mapping[str, Handler]
    events: list[dict[str, Any]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)

    async def invoke(self, function: str, event: bytes, trace_id: str) -> Outcome:
        if function not in self.handlers:
            raise UnknownFunctionError(function)
        handler = self.handlers[function]
        loaded = json.loads(event)
        self.events.append(loaded)
        self.called.append(function)
        answer = handler(loaded)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, Outcome) else Outcome(json.dumps(answer).encode())

    @property
    def event(self) -> dict[str, Any]:
        return self.events[-1]


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Sends requests to one port, each on a connection of its own."""

    port: int
    functions: Functions
    logs: Path

    async def send(self, *parts: bytes, pause: float = 0.0) -> Answer:
        """Send raw bytes and read the answer to the connection's end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            async with asyncio.timeout(60):
                return parsed(await reader.read())
        finally:
            writer.close()

    async def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in ({"Host": "api.example.com"} | dict(headers or {})).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def get(self, target: str, **headers: str) -> Answer:
        return await self.request("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})


def parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return Answer(int(first.split()[1]), headers, body)


def template(folder: Path, resources: Mapping[str, Any]) -> Template:
    """Return a template of `resources`, translated by SAM; a function `F` is added, and others that are named."""
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"CodeUri": "s3://bucket/key", "Handler": "a.b", "Runtime": "python3.13"},
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"F": function, **resources},
    }
    text = json.dumps(document)
    if text not in _TEMPLATES:
        file = folder / "template.json"
        file.write_text(text)
        _TEMPLATES[text] = Template.load(file, cache=folder / "translations")
    return _TEMPLATES[text]


def function_with(events: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """Return a function resource with `events`."""
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "CodeUri": "s3://bucket/key",
            "Handler": "a.b",
            "Runtime": "python3.13",
            "Events": events,
            **properties,
        },
    }


def http_event(method: str, path: str, api: str = "Api", **more: Any) -> dict[str, Any]:
    """Return an event of an HTTP API; `$default` is a path, too."""
    where = {} if path == "$default" else {"Path": path, "Method": method}
    return {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": api}, **where, **more}}


def rest_event(method: str, path: str, api: str = "Api", **more: Any) -> dict[str, Any]:
    """Return an event of a REST API."""
    return {"Type": "Api", "Properties": {"RestApiId": {"Ref": api}, "Path": path, "Method": method, **more}}


def http_api(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::HttpApi", "Properties": properties}


def rest_api(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "prod", **properties}}


def echo(event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}


def serve(
    folder: Path,
    resources: Mapping[str, Any],
    work: Callable[[Client], Awaitable[None]],
    *,
    throttles: bool = True,
    **handlers: Handler,
) -> None:
    """Run `work` against the first API of a template of `resources`; a function `F` echoes unless told otherwise."""

    async def with_first(first: Client, *_: Client) -> None:
        await work(first)

    serve_all(folder, resources, with_first, throttles=throttles, **handlers)


def serve_all(
    folder: Path,
    resources: Mapping[str, Any],
    work: Callable[..., Awaitable[None]],
    *,
    throttles: bool = True,
    **handlers: Handler,
) -> None:
    """Run `work` with a client for each API of a template of `resources`."""
    loaded = template(folder, resources)
    apis = TemplateApis(loaded).apis()
    functions = Functions({"F": echo, **handlers})

    async def scenario() -> None:
        gateway = Gateway(apis, functions, folder / "logs", throttles=throttles)
        served = await gateway.start("127.0.0.1", [0] * len(apis))
        ports = [int(each.urls[0].split(":")[2].partition("/")[0]) for each in served]
        try:
            await work(*(Client(port, functions, folder / "logs") for port in ports))
        finally:
            await gateway.stop()

    asyncio.run(scenario())
