"""The inventory handler, called in process with real events against the running backing_services."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emulator.aws.clients import Clients
from lambda_http import aws_clients

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Answer:
    """Call the handler with an HTTP API event (payload 2.0). `body` is text, or a value to send as JSON."""
    from app.lambda_handler import lambda_handler

    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "shop.example", "content-type": "application/json", **(headers or {})},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"},
            "requestId": "integration",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    answer = lambda_handler(event, None)
    raw = answer["body"]
    content = base64.b64decode(raw) if answer["isBase64Encoded"] else raw.encode()
    return Answer(answer["statusCode"], answer.get("headers", {}), content)


@pytest.fixture(scope="module")
def inventory_variables(function_environment: Mapping[str, str]) -> Iterator[None]:
    """The variables of the function, and its clients of AWS, which take longer to make than a test takes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in function_environment.items():
            patch.setenv(name, value)
        aws_clients.forget()
        yield
        aws_clients.forget()


@pytest.fixture
def inventory(inventory_variables: None) -> Iterator[Callable[..., Answer]]:
    from app.config import settings

    settings.cache_clear()
    yield send
    settings.cache_clear()


@pytest.fixture
def together(inventory: Callable[..., Answer]) -> Callable[..., list[Answer]]:
    """Send requests to the application at the same time; each is the arguments of `send`, without a query."""
    return _send_together


def _send_together(requests: Sequence[tuple[Any, ...]]) -> list[Answer]:
    from app.main import app

    async def all_together() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            return await asyncio.gather(
                *(
                    client.request(method, path, json=body, headers=headers[0] if headers else None)
                    for method, path, body, *headers in requests
                )
            )

    responses = asyncio.run(all_together())
    return [Answer(response.status_code, dict(response.headers), response.content) for response in responses]


@pytest.fixture
def sku() -> str:
    return f"TEST-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def owner_s3(owner: Clients) -> S3Client:
    """S3 as the owner of the account: the function's role may not put files."""
    return owner.s3


@pytest.fixture
def store(owner_s3: S3Client, function_environment: Mapping[str, str]) -> Iterator[Callable[..., None]]:
    """Put files into the data bucket for the length of a test."""
    bucket = function_environment["S3_BUCKET"]
    names = []

    def put(name: str, content: bytes, content_type: str = "text/plain", **more: Any) -> None:
        owner_s3.put_object(Bucket=bucket, Key=name, Body=content, ContentType=content_type, **more)
        names.append(name)

    yield put
    for name in names:
        owner_s3.delete_object(Bucket=bucket, Key=name)
