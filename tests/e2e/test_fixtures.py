"""A fixture is answered alike in process, by `sam local invoke`, by `sam local start-api`, and by the gateway."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from emulator.control import ask
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.sam.sam_cli import invoke_command
from tests.e2e.forked_sam import run_sam
from tests.events import EVENTS, load_event
from tests.shop import PROJECT

FUNCTION_MODULES = {"app", "lambda_handler", "lambda_http", "shopping_bot"}


@dataclass(frozen=True)
class Service:
    """A function, its folder of fixtures, and the module of its handler."""

    function: str
    folder: str
    handler_module: str

    @property
    def fixtures(self) -> list[Path]:
        return sorted((EVENTS / self.folder).glob("*.json"))


SERVICES = (
    Service("InventoryFunction", "inventory", "app.lambda_handler"),
    Service("ShopbotFunction", "shopbot", "lambda_handler"),
)
FIXTURES = [f"{service.folder}/{fixture.stem}" for service in SERVICES for fixture in service.fixtures]

# What two runs of the same request may differ in.
VOLATILE = (
    (re.compile(r'"(created_at|updated_at|timestamp|at)":\s*"[^"]*"'), r'"\1":"<time>"'),
    (re.compile(r'"(request_id|session_id)":\s*"[^"]*"'), r'"\1":"<id>"'),
    (re.compile(r'"(elapsed_time|latency_ms)":\s*[0-9.e-]+'), r'"\1":"<duration>"'),
)
VERSIONED_TAG = re.compile(r'"(\d+)\.\d[^"]*"')
COMPARED_HEADERS = (
    *("accept-ranges", "allow", "cache-control", "content-disposition", "content-range", "content-security-policy"),
    *("content-type", "etag", "location", "retry-after", "x-content-type-options"),
)

Answer = tuple[int, dict[str, str], str]
Answers = Mapping[str, Answer]


def normalised(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    compared = {name.lower(): value for name, value in headers.items() if name.lower() in COMPARED_HEADERS}
    if "etag" in compared:
        compared["etag"] = VERSIONED_TAG.sub(r'"\1.<time>"', compared["etag"])
    if status == 304:  # there is no content, and a server takes its type away
        compared.pop("content-type", None)
    text = body.decode("utf-8", "surrogateescape")
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return status, compared, text


def of_proxy_answer(answer: Mapping[str, Any]) -> Answer:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return normalised(answer["statusCode"], answer.get("headers", {}), content)


def answers(running: RunningEmulator, answer: Callable[[Service, Path], Answer], *, at_once: int = 1) -> Answers:
    """Return the answer to every fixture, the sample data being fresh before the first.

    What changes the inventory goes first and in order, so that the others, `at_once` of them, find it alike each time.
    """
    asyncio.run(ask(running, "reset"))
    fixtures = [(service, fixture) for service in SERVICES for fixture in service.fixtures]
    writes = [one for one in fixtures if is_write(*one)]
    others = [one for one in fixtures if one not in writes]
    found = [answer(*one) for one in writes]
    with ThreadPoolExecutor(at_once) as pool:
        found += pool.map(lambda one: answer(*one), others)
    names = [f"{service.folder}/{fixture.stem}" for service, fixture in writes + others]
    return dict(zip(names, found, strict=True))


def is_write(service: Service, fixture: Path) -> bool:
    return service.folder == "inventory" and load_event(fixture)["requestContext"]["http"]["method"] != "GET"


@pytest.fixture(scope="module")
def in_process(running: RunningEmulator, environment_of: Callable[[str], dict[str, str]]) -> Answers:
    handlers: dict[str, Callable[[Any, Any], Mapping[str, Any]]] = {}

    def call(service: Service, fixture: Path) -> Answer:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment_of(service.function).items():
                patch.setenv(name, value)
            if service.function not in handlers:
                # The functions share lambda_http, whose clients have the role of the function that made them.
                forget_functions()
                handlers[service.function] = importlib.import_module(service.handler_module).lambda_handler
            return of_proxy_answer(handlers[service.function](load_event(fixture), Context()))

    # Other tests of this process have imported the functions with other variables.
    imported = forget_functions()
    try:
        return answers(running, call)
    finally:
        forget_functions()
        sys.modules.update(imported)


def forget_functions() -> dict[str, ModuleType]:
    """Take the modules of the functions out of those that are imported, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in FUNCTION_MODULES]
    return {name: sys.modules.pop(name) for name in names}


class Context:
    """What Lambda passes beside the event (AWS Lambda Developer Guide, "Using the Lambda context object in Python")."""

    function_name = "Function"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:Function"
    aws_request_id = "7f4cbf2b-7a5d-4c43-93b5-3c2f3a3b5c11"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 15_000


def one_of_each_route() -> set[Path]:
    """Return the first fixture of each route and method."""
    chosen: dict[tuple[str, ...], Path] = {}
    for service in SERVICES:
        for fixture in service.fixtures:
            event = load_event(fixture)
            route = event["routeKey"] if event["routeKey"] != "$default" else event["rawPath"]
            chosen.setdefault((service.folder, event["requestContext"]["http"]["method"], route), fixture)
    return set(chosen.values())


@pytest.fixture(scope="module")
def invoked(
    running: RunningEmulator,
    tool_environment: dict[str, str],
    paths: StatePaths,
    aws_lambda: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Answers:
    """By `sam local invoke` one fixture of each route; the others by `sam local start-lambda`, which invokes alike."""
    by_command = one_of_each_route()

    def invoke(service: Service, fixture: Path) -> Answer:
        if fixture not in by_command:
            answer = aws_lambda.invoke(FunctionName=service.function, Payload=fixture.read_bytes())
            return of_proxy_answer(json.loads(answer["Payload"].read()))
        command = invoke_command(PROJECT, paths, running, service.function, fixture)
        done = run_sam(command, tool_environment, tmp_path_factory.mktemp(fixture.stem))
        assert done.status == 0, done.log
        assert "REPORT RequestId:" in done.log
        return of_proxy_answer(json.loads(done.output))

    return answers(running, invoke, at_once=2)


@pytest.fixture(scope="module")
def requested(running: RunningEmulator, clients: dict[str, httpx.Client]) -> Answers:
    return answers(running, lambda _, fixture: request(clients["sam"], load_event(fixture)))


@pytest.fixture(scope="module")
def gated(running: RunningEmulator, clients: dict[str, httpx.Client]) -> Answers:
    return answers(running, lambda _, fixture: request(clients["gateway"], load_event(fixture)))


def request(client: httpx.Client, event: Mapping[str, Any]) -> Answer:
    # API Gateway decodes the path before it fills in rawPath.
    method, path = event["requestContext"]["http"]["method"], quote(event["rawPath"])
    query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
    skipped = ("host", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id")
    headers = {name: value for name, value in event["headers"].items() if name not in skipped}
    body = event.get("body")
    content = base64.b64decode(body) if body and event["isBase64Encoded"] else body
    answer = client.request(method, f"{path}{query}", headers=headers, content=content)
    return normalised(answer.status_code, answer.headers, answer.content)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_answered_alike_on_all_four_ways(
    name: str, in_process: Answers, invoked: Answers, requested: Answers, gated: Answers
) -> None:
    assert invoked[name] == in_process[name]
    assert requested[name] == in_process[name]
    assert gated[name] == in_process[name]
