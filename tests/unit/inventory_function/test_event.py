from __future__ import annotations

from typing import Any

import pytest
from app.event import ROOT_PATH, UnsupportedEventError, prepare, request_id


def v2(path: str, route_key: str = "$default", stage: str = "$default", **more: Any) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.9"}
    context = {
        "http": http,
        "stage": stage,
        "requestId": "v2-id",
        "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
    }
    return {"version": "2.0", "routeKey": route_key, "rawPath": path, "headers": {}, "requestContext": context, **more}


def rest(path: str, resource: str, seen: str, stage: str = "prod") -> dict[str, Any]:
    context = {"stage": stage, "path": seen, "requestId": "rest-id", "identity": {"sourceIp": "203.0.113.9"}}
    return {"resource": resource, "path": path, "httpMethod": "GET", "headers": {}, "requestContext": context}


@pytest.mark.parametrize(
    ("event", "path", "root_path"),
    [
        (v2("/inventory/A"), "/inventory/A", ""),
        (v2("/inventory/A", "GET /inventory/{sku}"), "/inventory/A", ""),
        (v2("/prod/inventory/A", "GET /inventory/{sku}", "prod"), "/inventory/A", "/prod"),
        (v2("/prod/inventory/A", "$default", "prod"), "/inventory/A", "/prod"),
        (v2("/prod", "GET /", "prod"), "/", "/prod"),
        (v2("/prod/", "GET /", "prod"), "/", "/prod"),
        (v2("/", "GET /"), "/", ""),
        # A stage that is named like a route, behind a custom domain without it
        (v2("/inventory", "GET /inventory", "inventory"), "/inventory", ""),
        (v2("/inventory/inventory", "GET /inventory", "inventory"), "/inventory", "/inventory"),
        # A custom domain with a mapping key
        (v2("/shop/inventory/A", "GET /inventory/{sku}"), "/inventory/A", "/shop"),
        (v2("/production/inventory", "$default", "prod"), "/production/inventory", ""),
    ],
)
def test_the_path_of_an_http_api(event: dict[str, Any], path: str, root_path: str) -> None:
    prepared = prepare(event)

    assert prepared["requestContext"]["http"]["path"] == path
    assert prepared[ROOT_PATH] == root_path


@pytest.mark.parametrize(
    ("event", "path", "root_path"),
    [
        (rest("/inventory/A", "/inventory/{sku}", "/prod/inventory/A"), "/inventory/A", "/prod"),
        (rest("/shop/inventory/A", "/inventory/{sku}", "/shop/inventory/A"), "/inventory/A", "/shop"),
        (rest("/inventory/A", "/{proxy+}", "/prod/inventory/A"), "/inventory/A", "/prod"),
        (rest("/", "/", "/prod"), "/", "/prod"),
        (rest("/", "/", "/prod/"), "/", "/prod"),
        (rest("/inventory", "/inventory", "/inventory"), "/inventory", ""),
    ],
)
def test_the_path_of_a_rest_api(event: dict[str, Any], path: str, root_path: str) -> None:
    prepared = prepare(event)

    assert prepared["path"] == path
    assert prepared[ROOT_PATH] == root_path


def test_only_http_apis_decode_the_path() -> None:
    assert prepare(v2("/file/download/a%41"))["requestContext"]["http"]["path"] == "/file/download/a%2541"
    assert prepare(rest("/file/download/a%2541", "/{proxy+}", "/"))["path"] == "/file/download/a%2541"
    url = v2("/file/download/a%2541")
    url["requestContext"]["domainName"] = "abc.lambda-url.eu-west-1.on.aws"
    assert prepare(url)["requestContext"]["http"]["path"] == "/file/download/a%2541"


@pytest.mark.parametrize(
    "event",
    [None, [], "x", {}, {"Records": []}, {"requestContext": {}}, {"requestContext": "x"}, {"source": "aws.events"}],
)
def test_other_events_are_refused_with_a_reason(event: Any) -> None:
    with pytest.raises(UnsupportedEventError, match="answers HTTP requests"):
        prepare(event)


def test_a_broken_body_is_refused() -> None:
    with pytest.raises(UnsupportedEventError, match="base64"):
        prepare(v2("/", body="a", isBase64Encoded=True))
    with pytest.raises(UnsupportedEventError, match="string"):
        prepare(v2("/", body={"a": 1}))


def test_bodies_become_bytes() -> None:
    assert prepare(v2("/", body="aGk=", isBase64Encoded=True))["body"] == b"hi"
    assert prepare(v2("/", body="é"))["body"] == "é".encode()
    assert prepare(v2("/", body="\ud800"))["body"] == b"\xed\xa0\x80"
    assert prepare(v2("/", body=None))["body"] == b""


def test_headers_that_trip_the_adapter() -> None:
    headers = prepare(v2("/", headers={"Host": "[::1]:3000", "X-Forwarded-Port": "abc", "A": None, "B": "b"}))[
        "headers"
    ]

    assert headers == {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "B": "b"}
    assert prepare({**v2("/"), "headers": None})["headers"] == {}


def test_request_ids() -> None:
    class Context:
        aws_request_id = "lambda-id"

    trace = "Self=1-2;Root=1-67891233-abcdef;Foo=bar"
    assert request_id(v2("/"), Context()) == "v2-id"
    assert (
        request_id({"requestContext": {"elb": {}}, "headers": {"x-amzn-trace-id": trace}}, Context())
        == "1-67891233-abcdef"
    )
    assert (
        request_id({"requestContext": {"elb": {}}, "multiValueHeaders": {"X-Amzn-Trace-Id": [trace]}}, None)
        == "1-67891233-abcdef"
    )
    assert request_id({"requestContext": {"elb": {}}, "headers": None}, Context()) == "lambda-id"
    assert request_id({}, None) == "-"
