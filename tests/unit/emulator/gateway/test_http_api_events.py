"""The events of HTTP APIs (Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs", "Payload format")."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.events import load_event
from tests.unit.emulator.gateway.api_client import Client, function_with, http_api, http_event, serve


def routes(version: str = "2.0") -> dict[str, Any]:
    events = {
        "A": http_event("ANY", "/a/{x}", PayloadFormatVersion=version),
        "B": http_event("POST", "/b", PayloadFormatVersion=version),
    }
    return {"Api": http_api(), "F": function_with(events)}


def test_format_2_0_describes_the_whole_request(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        headers = {"X-Twice": "one", "x-twice": "two", "Cookie": "a=1; b=2", "User-Agent": "test/1"}
        event = (await client.request("GET", "/a/b%20c?q=1&q=2&r=%C3%A9+x&empty=", headers)).json
        assert event["version"] == "2.0"
        assert event["routeKey"] == "ANY /a/{x}"
        assert event["rawPath"] == "/a/b c"
        assert event["rawQueryString"] == "q=1&q=2&r=%C3%A9+x&empty="
        assert event["cookies"] == ["a=1", "b=2"]
        assert event["queryStringParameters"] == {"q": "1,2", "r": "é x", "empty": ""}
        assert event["pathParameters"] == {"x": "b c"}
        assert event["headers"]["x-twice"] == "one,two"
        assert event["headers"]["host"] == "api.example.com"
        assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
        assert event["headers"]["x-forwarded-port"] == str(client.port)
        assert event["headers"]["x-forwarded-proto"] == "http"
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", event["headers"]["x-amzn-trace-id"])
        assert not {"cookie", "connection"} & event["headers"].keys()
        assert all(name == name.lower() for name in event["headers"])
        assert not {"body", "stageVariables"} & event.keys()
        assert event["isBase64Encoded"] is False
        context = event["requestContext"]
        assert context["http"] == {
            "method": "GET",
            "path": "/a/b c",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "test/1",
        }
        assert (context["domainName"], context["domainPrefix"]) == ("api.example.com", "api")
        assert (context["routeKey"], context["stage"]) == ("ANY /a/{x}", "$default")
        assert re.fullmatch(r"[0-9a-f]{15}=", context["requestId"])
        assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
        assert abs(context["timeEpoch"] - time.time() * 1000) < 60_000
        assert re.fullmatch(r"[a-z0-9]{10}", context["apiId"])
        assert re.fullmatch(r"\d{12}", context["accountId"])

    serve(tmp_path, routes(), work)


def test_an_event_has_the_members_of_a_recorded_one(tmp_path: Path) -> None:
    recorded = load_event("inventory/create_item.json")

    async def work(client: Client) -> None:
        headers = {"accept": "*/*", "content-type": "application/json", "user-agent": "curl/8.15.0"}
        event = (await client.request("POST", "/b", headers, b"{}")).json
        assert event.keys() == recorded.keys()
        assert event["headers"].keys() == recorded["headers"].keys()
        assert event["requestContext"].keys() == recorded["requestContext"].keys()
        assert event["requestContext"]["http"].keys() == recorded["requestContext"]["http"].keys()

    serve(tmp_path, routes(), work)


def test_each_request_has_ids_of_its_own(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answers = [await client.get("/a/b") for _ in range(3)]
        assert len({answer.json["requestContext"]["requestId"] for answer in answers}) == 3
        assert all(answer.header("apigw-requestid") == answer.json["requestContext"]["requestId"] for answer in answers)

    serve(tmp_path, routes(), work)


def test_a_forwarded_address_and_a_trace_go_on(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Amzn-Trace-Id": "Root=1-11111111-222222222222222222222222"}
        event = (await client.request("GET", "/a/b", headers)).json
        assert event["headers"]["x-forwarded-for"] == "203.0.113.7, 127.0.0.1"
        twice = (await client.request("GET", "/a/b", headers | {"x-forwarded-for": "198.51.100.2"})).json
        assert twice["headers"]["x-forwarded-for"] == "203.0.113.7, 198.51.100.2, 127.0.0.1"
        assert event["headers"]["x-amzn-trace-id"] == "Root=1-11111111-222222222222222222222222"
        assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"

    serve(tmp_path, routes(), work)


@pytest.mark.parametrize(
    ("content_type", "body", "is_encoded"),
    [
        ("application/json", b'{"a":1}', False),
        ("application/json; charset=utf-8", "{}é".encode(), False),
        ("application/problem+json", b"{}", False),
        ("image/svg+xml", b"<svg/>", False),
        ("text/csv", b"a,b", False),
        ("application/javascript", b"1", False),
        (None, b"plain", False),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("multipart/form-data; boundary=x", b"--x--", True),
        ("application/octet-stream", b"\x00\xff", True),
        ("text/plain", b"\xff\xfe", True),
        ("image/png", b"\x89PNG", True),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_is_not_text_is_base64(
    tmp_path: Path, version: str, content_type: str | None, body: bytes, is_encoded: bool
) -> None:
    async def work(client: Client) -> None:
        headers = {"content-type": content_type} if content_type else {}
        event = (await client.request("POST", "/b", headers, body)).json
        assert event["isBase64Encoded"] is is_encoded
        assert event["body"] == (base64.b64encode(body).decode() if is_encoded else body.decode())

    serve(tmp_path, routes(version), work)


def test_a_chunked_body_has_a_length_in_the_event(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        head = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
        event = (await client.send(head + b"Connection: close\r\n\r\n", b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")).json
        assert event["body"] == "abcde"
        assert event["headers"]["content-length"] == "5"
        assert "transfer-encoding" not in event["headers"]

    serve(tmp_path, routes(), work)


def test_format_1_0_has_both_forms_of_headers_and_parameters_and_null_for_what_is_empty(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        event = (await client.request("GET", "/a/b?q=1&q=2", {"X-Twice": "one", "x-twice": "two"})).json
        assert event["version"] == "1.0"
        assert (event["resource"], event["path"], event["httpMethod"]) == ("/a/{x}", "/a/b", "GET")
        assert event["headers"]["x-twice"] == "two"
        assert event["multiValueHeaders"]["x-twice"] == ["one", "two"]
        own = {"Content-Length", "Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"}
        assert event["headers"].keys() == event["multiValueHeaders"].keys() == own | {"x-twice"}
        assert event["headers"]["Content-Length"] == "0"
        assert event["queryStringParameters"] == {"q": "2"}
        assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
        assert event["pathParameters"] == {"x": "b"}
        assert event["stageVariables"] is None
        assert (event["body"], event["isBase64Encoded"]) == (None, False)
        context = event["requestContext"]
        assert context["identity"]["sourceIp"] == "127.0.0.1"
        assert (context["resourcePath"], context["resourceId"]) == ("/a/{x}", "ANY /a/{x}")
        assert (context["httpMethod"], context["path"]) == ("GET", "/a/b")
        assert (await client.get("/a/b")).json["queryStringParameters"] is None

    serve(tmp_path, routes("1.0"), work)


@pytest.mark.parametrize(
    ("target", "raw_path"),
    [
        ("/a/%E0%A4%9A", "/a/च"),
        ("/a/%ff", "/a/\ufffd"),
        ("http://api.example.com/a/b", "/a/b"),
        ("/a/b%2520c", "/a/b%20c"),
    ],
)
def test_the_path_is_decoded_once(tmp_path: Path, target: str, raw_path: str) -> None:
    async def work(client: Client) -> None:
        assert (await client.get(target)).json["rawPath"] == raw_path

    serve(tmp_path, routes(), work)


def test_an_encoded_slash_divides_the_path(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert (await client.get("/a/b%2fc")).status == 404

    serve(tmp_path, routes(), work)


def test_http_1_0_is_the_protocol_of_the_event(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        event = (await client.send(b"GET /a/b HTTP/1.0\r\n\r\n")).json
        assert event["requestContext"]["http"]["protocol"] == "HTTP/1.0"
        assert event["requestContext"]["domainName"].endswith(".amazonaws.com")

    serve(tmp_path, routes(), work)
