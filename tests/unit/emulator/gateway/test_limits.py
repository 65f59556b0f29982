"""Limits, over the raw socket (Developer Guide, "Quotas" and "Throttle requests to your HTTP APIs")."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from emulator.gateway.definition import Rate
from emulator.gateway.throttling import Throttle, TokenBucket
from tests.unit.emulator.gateway.api_client import (
    Client,
    function_with,
    http_api,
    http_event,
    parsed,
    rest_api,
    rest_event,
    serve,
)

HTTP = {"Api": http_api(), "F": function_with({"A": http_event("ANY", "/a")})}
IMPATIENT = {"Api": http_api(), "F": function_with({"A": http_event("ANY", "/a", TimeoutInMillis=300)})}
REST = {"Api": rest_api(), "F": function_with({"A": rest_event("any", "/a")})}
MEGABYTE = 1024 * 1024
INVOKE = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"


def head(target: str, size: int, *more: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: x", "Content-Type: text/plain", f"Content-Length: {size}", *more]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


@pytest.mark.parametrize(
    ("resources", "target", "size", "body"),
    [
        (HTTP, "/a", 10 * MEGABYTE + 1, b'{"message":"Request Entity Too Large"}'),
        (HTTP, "/a", 6 * MEGABYTE + 1, b'{"message":"Request Entity Too Large"}'),
        (REST, "/prod/a", 10 * MEGABYTE + 1, b"HTTP content length exceeded 10485760 bytes."),
        (REST, "/prod/a", 6 * MEGABYTE + 1, b'{"message":"Request Too Long"}'),
    ],
    ids=["HTTP body", "HTTP event", "REST body", "REST event"],
)
def test_a_body_over_ten_megabytes_or_an_event_over_six_is_413(
    tmp_path: Path, resources: dict[str, Any], target: str, size: int, body: bytes
) -> None:
    async def work(client: Client) -> None:
        answer = await client.send(head(target, size), b"x" * size)
        assert (answer.status, answer.body) == (413, body)
        assert client.functions.events == []

    serve(tmp_path, resources, work)


def test_five_megabytes_are_taken(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.send(head("/a", 5 * MEGABYTE), b"x" * 5 * MEGABYTE)
        assert answer.body == b"5242880"

    serve(tmp_path, HTTP, work, F=lambda event: len(event["body"]))


def test_a_client_that_asks_before_it_sends_too_much_need_not_send_it(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.send(head("/a", 11 * MEGABYTE, "Expect: 100-continue"))
        assert answer.status == 413

    serve(tmp_path, HTTP, work)


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /a?" + b"q" * 10_300 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: x\r\nX-Long: " + b"v" * 10_300 + b"\r\n\r\n",
    ],
)
def test_a_head_over_10240_bytes_is_refused(tmp_path: Path, request_head: bytes) -> None:
    async def work(client: Client) -> None:
        answer = await client.send(request_head)
        assert (answer.status, answer.json) == (431, {"message": "Request Header Fields Too Large"})

    serve(tmp_path, HTTP, work)


def test_what_is_no_http_is_400(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.send(b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")
        assert (answer.status, answer.json) == (400, {"message": "Bad Request"})

    serve(tmp_path, HTTP, work)


class Slow:
    """A function that answers when it is told to."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.has_ended = asyncio.Event()

    async def __call__(self, _: dict[str, Any]) -> str:
        await self.may_end.wait()
        self.has_ended.set()
        return "late"


def test_an_integration_that_takes_too_long_is_503_and_runs_on(tmp_path: Path) -> None:
    slow = Slow()

    async def work(client: Client) -> None:
        began = time.monotonic()
        answer = await client.get("/a")
        assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})
        assert time.monotonic() - began > 0.25
        slow.may_end.set()
        await asyncio.wait_for(slow.has_ended.wait(), 30)

    serve(tmp_path, IMPATIENT, work, F=slow)


def test_without_a_setting_an_http_api_waits_thirty_seconds_and_a_rest_api_twenty_nine() -> None:
    from emulator.gateway.openapi import routes

    operation = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "F"}}
    for is_rest, seconds in ((False, 30.0), (True, 29.0)):
        (route,) = routes({"paths": {"/a": {"get": operation}}}, lambda uri: uri, {}, is_rest=is_rest)
        assert route.integration.timeout_seconds == seconds


def test_a_rest_integration_that_takes_too_long_is_504(tmp_path: Path) -> None:
    body = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {
                "get": {
                    "x-amazon-apigateway-integration": {
                        "type": "aws_proxy",
                        "httpMethod": "POST",
                        "timeoutInMillis": 300,
                        "uri": {"Fn::Sub": f"{INVOKE}/${{F.Arn}}/invocations"},
                    }
                }
            }
        },
    }

    slow = Slow()

    async def work(client: Client) -> None:
        answer = await client.get("/prod/a")
        assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})
        slow.may_end.set()

    serve(tmp_path, {"Api": rest_api(DefinitionBody=body)}, work, F=slow)


def test_a_client_that_leaves_does_not_end_the_invocation(tmp_path: Path) -> None:
    slow = Slow()

    async def work(client: Client) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            while not client.functions.events:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            writer.close()
            await writer.wait_closed()
            slow.may_end.set()
            await slow.has_ended.wait()
        assert (await client.get("/a")).status == 200

    serve(tmp_path, HTTP, work, F=slow)


def test_a_slow_sender_is_waited_for_and_others_are_served_meanwhile(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for part in (head("/a", 3), b"a", b"b"):
            writer.write(part)
            await asyncio.sleep(0.05)
        assert (await client.get("/a")).status == 200
        writer.write(b"c")
        assert parsed(await asyncio.wait_for(reader.read(), 60)).json["body"] == "abc"
        writer.close()

    serve(tmp_path, HTTP, work)


def test_a_connection_is_kept_for_further_requests(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for _ in range(3):
            writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
            answer_head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            length = int(parsed(answer_head).header("content-length") or 0)
            assert json.loads(await reader.readexactly(length))["rawPath"] == "/a"
        writer.close()

    serve(tmp_path, HTTP, work)


# --- throttles -------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_admits_its_burst_and_then_fills_at_its_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(Rate(2, 5), clock)
    assert [bucket.take() for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now += 100
    assert sum(bucket.take() for _ in range(20)) == 5


def test_a_route_with_a_rate_of_its_own_has_a_bucket_of_its_own() -> None:
    throttle = Throttle(Rate(0, 2), {"GET /a": Rate(0, 1)}, Clock())
    assert [throttle.admits("GET /a") for _ in range(2)] == [True, False]
    assert [throttle.admits(key) for key in ("GET /b", "GET /c", "GET /b")] == [True, True, False]


def test_each_method_of_a_rest_api_has_a_bucket_of_the_default_rate() -> None:
    throttle = Throttle(Rate(0, 2), {"GET /a": Rate(0, 1)}, Clock(), is_for_each=True)
    assert [throttle.admits("GET /a") for _ in range(2)] == [True, False]
    for key in ("GET /b", "GET /c"):
        assert [throttle.admits(key) for _ in range(3)] == [True, True, False]


def throttled() -> dict[str, Any]:
    api = http_api(
        DefaultRouteSettings={"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 3},
        RouteSettings={"GET /b": {"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1}},
    )
    return {"Api": api, "F": function_with({"A": http_event("GET", "/a"), "B": http_event("GET", "/b")})}


def test_what_the_templates_throttle_does_not_admit_is_429(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert [(await client.get("/a")).status for _ in range(4)] == [200, 200, 200, 429]
        assert [(await client.get("/b")).status for _ in range(2)] == [200, 429]
        assert (await client.get("/a")).json == {"message": "Too Many Requests"}
        assert len(client.functions.events) == 4

    serve(tmp_path, throttled(), work)


def test_throttles_can_be_turned_off(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert {(await client.get("/b")).status for _ in range(5)} == {200}

    serve(tmp_path, throttled(), work, throttles=False)


def test_a_rest_apis_methods_are_throttled_by_the_stages_settings(tmp_path: Path) -> None:
    settings = [
        {"HttpMethod": "*", "ResourcePath": "/*", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2},
        {"HttpMethod": "GET", "ResourcePath": "/~1b", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1},
    ]
    events = {name: rest_event("get", f"/{name}") for name in "abc"}

    async def work(client: Client) -> None:
        assert [(await client.get("/prod/a")).status for _ in range(3)] == [200, 200, 429]
        assert [(await client.get("/prod/b")).status for _ in range(2)] == [200, 429]
        assert [(await client.get("/prod/c")).status for _ in range(3)] == [200, 200, 429]
        answer = await client.get("/prod/a")
        assert answer.json == {"message": "Too Many Requests"}
        assert answer.header("x-amzn-errortype") == "TooManyRequestsException"

    serve(tmp_path, {"Api": rest_api(MethodSettings=settings), "F": function_with(events)}, work)
