"""A fixture is answered alike in process, by `sam local invoke`, and over HTTP by `sam local start-api`."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from emulator.control import ask
from emulator.home import REPOSITORY, Running
from tests.conftest import EVENTS, load_event

FIXTURES = sorted((EVENTS / "inventory").glob("*.json"))

# What two runs of the same request may differ in.
VOLATILE = (
    (re.compile(r'"(created_at|updated_at|timestamp)":\s*"[^"]*"'), r'"\1":"<time>"'),
    (re.compile(r'"request_id":\s*"[^"]*"'), '"request_id":"<id>"'),
)
VERSIONED_TAG = re.compile(r'"(\d+)\.\d[^"]*"')
COMPARED_HEADERS = (
    *("accept-ranges", "allow", "cache-control", "content-disposition", "content-range", "content-type"),
    *("etag", "location", "retry-after", "x-content-type-options"),
)

Answer = tuple[int, dict[str, str], bytes]
Answers = Mapping[str, Answer]


def normalised(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    compared = {name.lower(): value for name, value in headers.items() if name.lower() in COMPARED_HEADERS}
    compared |= {"etag": VERSIONED_TAG.sub(r'"\1.<time>"', compared["etag"])} if "etag" in compared else {}
    if status == 304:  # there is no content, and a server takes its type away
        compared.pop("content-type", None)
    text = body.decode("utf-8", "surrogateescape")
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    return status, compared, text.encode("utf-8", "surrogateescape")


def of_proxy_answer(answer: Mapping[str, Any]) -> Answer:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return normalised(answer["statusCode"], answer.get("headers", {}), content)


@pytest.fixture(scope="module")
def in_process(running: Running, function_environment: dict[str, str]) -> Answers:
    asyncio.run(ask(running, "reset"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in function_environment.items():
            patch.setenv(name, value)
        from app.lambda_handler import lambda_handler

        return {fixture.stem: of_proxy_answer(lambda_handler(load_event(fixture), Context())) for fixture in FIXTURES}


class Context:
    """What Lambda passes beside the event (AWS Lambda Developer Guide, "Using the Lambda context object in Python")."""

    function_name = "InventoryFunction"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:InventoryFunction"
    aws_request_id = "7f4cbf2b-7a5d-4c43-93b5-3c2f3a3b5c11"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 15_000


@pytest.fixture(scope="module")
def invoked(running: Running, tool_environment: dict[str, str], home: Any) -> Answers:
    asyncio.run(ask(running, "reset"))
    return {fixture.stem: of_proxy_answer(sam_local_invoke(fixture, tool_environment, home)) for fixture in FIXTURES}


def sam_local_invoke(fixture: Path, environment: dict[str, str], home: Any) -> dict[str, Any]:
    command = ["sam", "local", "invoke", "InventoryFunction", "--event", fixture, "--env-vars", home.sam_environment]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "REPORT RequestId:" in done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def requested(running: Running, client: httpx.Client) -> Answers:
    asyncio.run(ask(running, "reset"))
    return {fixture.stem: request(client, load_event(fixture)) for fixture in FIXTURES}


def request(client: httpx.Client, event: Mapping[str, Any]) -> Answer:
    # API Gateway decodes the path before it fills in rawPath.
    method, path = event["requestContext"]["http"]["method"], quote(event["rawPath"])
    query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
    skipped = ("host", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id")
    headers = {name: value for name, value in event["headers"].items() if name not in skipped}
    answer = client.request(method, f"{path}{query}", headers=headers, content=event.get("body"))
    return normalised(answer.status_code, answer.headers, answer.content)


@pytest.mark.parametrize("name", [fixture.stem for fixture in FIXTURES])
def test_a_fixture_is_answered_alike_on_all_three_ways(
    name: str, in_process: Answers, invoked: Answers, requested: Answers
) -> None:
    assert invoked[name] == in_process[name]
    assert requested[name] == in_process[name]
