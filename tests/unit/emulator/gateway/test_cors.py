"""CORS of HTTP APIs (Developer Guide, "Configure CORS for HTTP APIs in API Gateway")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.emulator.gateway.api_client import Client, function_with, http_api, http_event, serve

ORIGIN = "https://shop.example"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
CONFIGURATION = {
    "AllowOrigins": [ORIGIN, "https://other.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type", "x-api-key"],
    "ExposeHeaders": ["etag", "location"],
    "AllowCredentials": True,
    "MaxAge": 600,
}


def template(method: str = "POST", path: str = "/a", **configuration: Any) -> dict[str, Any]:
    api = http_api(CorsConfiguration=configuration or CONFIGURATION)
    return {"Api": api, "F": function_with({"A": http_event(method, path)})}


def own_cors(_: Any) -> dict[str, Any]:
    headers = {"access-control-allow-origin": "https://wrong.example", "access-control-max-age": "1", "etag": "x"}
    return {"statusCode": 200, "headers": headers, "body": "x"}


def test_a_preflight_request_that_no_route_takes_is_answered_by_api_gateway(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("OPTIONS", "/a", PREFLIGHT)
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("access-control-allow-origin") == ORIGIN
        assert answer.header("access-control-allow-methods") == "GET,POST"
        assert answer.header("access-control-allow-headers") == "content-type,x-api-key"
        assert answer.header("access-control-max-age") == "600"
        assert answer.header("access-control-allow-credentials") == "true"
        assert answer.header("access-control-expose-headers") is None
        assert client.functions.events == []

    serve(tmp_path, template(), work)


def test_an_origin_that_is_not_allowed_gets_no_cors_header(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for method, expected in (("OPTIONS", 204), ("POST", 200)):
            answer = await client.request(method, "/a", PREFLIGHT | {"Origin": "https://evil.example"})
            assert answer.status == expected
            assert not [name for name, _ in answer.headers if name.startswith("access-control-")]

    serve(tmp_path, template(), work)


@pytest.mark.parametrize("missing", ["Origin", "Access-Control-Request-Method"])
def test_without_both_headers_options_is_a_method_like_any_other(tmp_path: Path, missing: str) -> None:
    async def work(client: Client) -> None:
        headers = {name: value for name, value in PREFLIGHT.items() if name != missing}
        assert (await client.request("OPTIONS", "/a", headers)).status == 404

    serve(tmp_path, template(), work)


@pytest.mark.parametrize(("method", "path"), [("ANY", "/a"), ("OPTIONS", "/a"), ("ANY", "$default")])
def test_a_route_that_takes_options_gets_the_preflight_request(tmp_path: Path, method: str, path: str) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("OPTIONS", "/a", PREFLIGHT)
        assert answer.status == 200
        assert len(client.functions.events) == 1
        assert answer.all("access-control-allow-origin") == [ORIGIN]
        assert answer.header("access-control-allow-methods") == "GET,POST"
        assert answer.all("access-control-max-age") == ["600"]

    serve(tmp_path, template(method, path), work, F=own_cors)


def test_the_functions_own_cors_headers_are_replaced(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("POST", "/a", {"Origin": ORIGIN})
        assert answer.all("access-control-allow-origin") == [ORIGIN]
        assert answer.header("access-control-expose-headers") == "etag,location"
        assert answer.header("access-control-max-age") is None
        assert answer.header("etag") == "x"
        without = await client.request("POST", "/a")
        assert not [name for name, _ in without.headers if name.startswith("access-control-")]

    serve(tmp_path, template(), work, F=own_cors)


def test_without_a_configuration_the_functions_headers_stay(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("POST", "/a", {"Origin": ORIGIN})
        assert answer.header("access-control-allow-origin") == "https://wrong.example"
        assert (await client.request("OPTIONS", "/a", PREFLIGHT)).status == 404

    resources = {"Api": http_api(), "F": function_with({"A": http_event("POST", "/a")})}
    serve(tmp_path, resources, work, F=own_cors)


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ("*", "http://a.example", "*"),
        ("https://*", "https://a.example", "https://a.example"),
        ("https://*", "http://a.example", None),
        ("https://a.example", "https://a.example.evil", None),
    ],
)
def test_origins_may_be_patterns(tmp_path: Path, allowed: str, origin: str, expected: str | None) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("OPTIONS", "/a", PREFLIGHT | {"Origin": origin})
        assert answer.header("access-control-allow-origin") == expected

    serve(tmp_path, template(AllowOrigins=[allowed]), work)


def test_errors_of_api_gateway_carry_cors_headers_too(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/none", {"Origin": ORIGIN})
        assert answer.status == 404
        assert answer.header("access-control-allow-origin") == ORIGIN

    serve(tmp_path, template(), work)
