"""Each source's event as one format, and what is no HTTP event."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lambda_http.proxy_event import ROOT_PATH, UnsupportedEventError, prepare
from tests.unit.lambda_http.events import API_HOST, load_balancer, rest, v2

V1 = {**rest("/x"), "version": "1.0"}
TRACE = "Self=1-2;Root=1-67891233-abcdef;Foo=bar"


class LambdaContext:
    aws_request_id = "lambda-id"


def paths(event: dict[str, Any], **more: Any) -> tuple[str, str]:
    prepared = prepare(event, **more)
    assert prepared["requestContext"]["http"]["path"] == prepared["rawPath"]
    return prepared["rawPath"], prepared[ROOT_PATH]


@pytest.mark.parametrize("event", [v2("/x"), rest("/x"), V1, load_balancer("/x")])
def test_every_source_becomes_payload_2_0(event: dict[str, Any]) -> None:
    before = copy.deepcopy(event)
    prepared = prepare(event)

    assert (prepared["version"], prepared["rawPath"], prepared["body"]) == ("2.0", "/x", b"")
    assert prepared["requestContext"]["http"]["method"] == "GET"
    assert prepared["headers"]["host"] in {API_HOST, "shop.example"}
    assert event == before


def test_a_path_behind_a_base_path_is_found_whatever_the_source() -> None:
    custom = v2("/v1/health")
    custom["requestContext"]["domainName"] = "shop.example"

    assert paths(custom, routes=["/health"]) == ("/health", "/v1")
    assert paths(v2("/v1/health"), routes=["/health"]) == ("/v1/health", "")
    assert paths(v2("/v1/inventory/A", "GET /inventory/{sku}")) == ("/inventory/A", "/v1")
    assert paths(rest("/v1/health", pathParameters={"proxy": "health"}, seen="/v1/health")) == ("/health", "/v1")
    assert paths(load_balancer("/v1/health"), routes=["/health"]) == ("/health", "/v1")


def test_a_stage_that_the_event_keeps_apart_is_in_the_root_path() -> None:
    assert paths(v2("/prod/chat", stage="prod")) == ("/chat", "/prod")
    assert paths(rest("/inventory/A", "/inventory/{sku}")) == ("/inventory/A", "/prod")
    assert paths(rest("/", "/", seen="/prod")) == ("/", "/prod")
    assert paths(rest("/", "/", seen="/prod/")) == ("/", "/prod")
    assert paths(rest("/chat", seen="/chat")) == ("/chat", "")


def test_only_http_apis_decode_the_path() -> None:
    url = v2("/a%2541")
    url["requestContext"]["domainName"] = "abc.lambda-url.eu-west-1.on.aws"

    assert paths(v2("/a%41?b/é")) == ("/a%2541%3Fb/%C3%A9", "")
    assert paths({**rest("/a%41"), "version": "1.0"})[0] == "/a%2541"
    assert paths(rest("/a%2541"))[0] == paths(load_balancer("/a%2541"))[0] == paths(url)[0] == "/a%2541"
    assert paths(v2("/\ud800"))[0] == "/%3F"


def test_a_query_is_percent_encoded_once() -> None:
    def query(event: dict[str, Any]) -> str:
        text: str = prepare(event)["rawQueryString"]
        return text

    assert query(v2("/", rawQueryString="a=%31&b=x+y&é=\ud800")) == "a=%31&b=x+y&%C3%A9=?"
    assert query(v2("/", rawQueryString=None)) == query(rest("/")) == ""
    assert query(rest("/", queryStringParameters={"a": "1 %"})) == "a=1+%25"
    assert query(rest("/", multiValueQueryStringParameters={"a": ["1", "2"], "b": [None]})) == "a=1&a=2"
    assert query(load_balancer("/", queryStringParameters={"a%20b": "1%252+3"})) == "a+b=1%252+3"


def test_bodies_become_bytes() -> None:
    assert prepare(v2("/", body="aGk=", isBase64Encoded=True))["body"] == b"hi"
    assert prepare(v2("/", body=None, isBase64Encoded=True))["body"] == b""
    assert prepare(v2("/", body="é"))["body"] == "é".encode()
    assert prepare(v2("/", body="\ud800"))["body"] == b"\xed\xa0\x80"


def test_what_no_server_can_take_is_left_out_of_the_headers() -> None:
    def headers(event: dict[str, Any]) -> dict[str, str]:
        given: dict[str, str] = prepare(event)["headers"]
        return {name: value for name, value in given.items() if name != "host"}

    for port in ("abc", "443,443", "9" * 4301, "65536", "-1", ""):
        assert headers(v2("/", headers={"X-Forwarded-Port": port})) == {}
    assert headers(v2("/", headers={"X-Forwarded-Port": "443"})) == {"x-forwarded-port": "443"}
    assert headers(v2("/", headers={"X-Forwarded-Proto": "javascript"})) == {}
    odd = {"A": None, "B": "b\r\nc: d", "C C": "c", "é": "e", "D": ["x"], "E": "\ud800é\t", "Transfer-Encoding": "x"}
    assert headers(v2("/", headers=odd)) == {"e": "?é\t"}


@pytest.mark.parametrize("host", ["[::1]:3000", "a:b:c", "", "shop.example:99999", "ü.example", None, "a\nb"])
def test_a_host_that_adapters_cannot_split_is_the_domain_of_the_api(host: str | None) -> None:
    assert prepare(v2("/", headers={"Host": host}))["headers"]["host"] == API_HOST
    assert prepare(load_balancer("/", headers={"host": host}))["headers"]["host"] == "localhost"


def test_the_length_of_the_body_is_its_own() -> None:
    def length(**more: Any) -> str | None:
        value: str | None = prepare(v2("/", **more))["headers"].get("content-length")
        return value

    assert length() is None
    assert length(body="é") == "2"
    for claimed in ("0", "x", "9" * 5000):
        assert length(body="abc", headers={"Content-Length": claimed}) == "3"


def test_headers_of_several_values() -> None:
    many = rest("/", headers={"Accept": "b"}, multiValueHeaders={"Accept": ["a", "b"], "X": ["1", None]})

    assert prepare(many)["headers"] == {"accept": "a, b", "x": "1", "host": API_HOST}
    assert prepare({**v2("/"), "headers": None})["headers"] == {"host": API_HOST}


def test_cookies() -> None:
    assert prepare(v2("/", cookies=["a=1", "b=2", 5, "c\n"]))["cookies"] == ["a=1", "b=2"]
    assert prepare(v2("/", cookies=None, headers={"Cookie": "a=1"}))["cookies"] == ["a=1"]
    prepared = prepare(rest("/", multiValueHeaders={"Cookie": ["a=1", "b=2"]}))
    assert (prepared["cookies"], "cookie" in prepared["headers"]) == (["a=1; b=2"], False)


def test_the_address_of_the_client() -> None:
    def address(event: dict[str, Any]) -> str:
        text: str = prepare(event)["requestContext"]["http"]["sourceIp"]
        return text

    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert address(v2("/")) == address(rest("/")) == address(load_balancer("/", headers=forwarded)) == "203.0.113.9"
    assert address(load_balancer("/")) == address(load_balancer("/", headers={"x-forwarded-for": "\ud800"})) == ""


def test_the_id_of_the_request() -> None:
    def identifier(event: dict[str, Any], context: Any = None) -> str:
        text: str = prepare(event, context)["requestContext"]["requestId"]
        return text

    assert identifier(v2("/"), LambdaContext()) == "v2-id"
    assert identifier(load_balancer("/", headers={"x-amzn-trace-id": TRACE}), LambdaContext()) == "1-67891233-abcdef"
    assert identifier(load_balancer("/", multiValueHeaders={"X-Amzn-Trace-Id": [TRACE]})) == "1-67891233-abcdef"
    assert identifier(load_balancer("/"), LambdaContext()) == "lambda-id"
    assert identifier(load_balancer("/")) == "-"
    for odd in (5, "", "\ud800", "a\nb", "x" * 5000, None):
        event = v2("/")
        event["requestContext"]["requestId"] = odd
        assert identifier(event) == "-"


@pytest.mark.parametrize(
    "event",
    [None, [], "x", {}, {"Records": []}, {"requestContext": {}}, {"requestContext": "x"}, {"source": "aws.events"}],
)
def test_other_events_are_refused_with_a_reason(event: Any) -> None:
    with pytest.raises(UnsupportedEventError, match="answers HTTP requests"):
        prepare(event)


WRONG = [None, 5, 1.5, True, [], ["x"], {}, {"x": 1}, "x", "\ud800"]


@pytest.mark.parametrize("event", [v2("/x"), rest("/x"), V1, load_balancer("/x")])
def test_a_member_of_any_type_is_taken_or_refused_and_never_fails(event: dict[str, Any]) -> None:
    places = [(event, name) for name in event] + [
        (event["requestContext"], name) for name in (*event["requestContext"], "path", "stage", "elb", "identity")
    ]
    refused = 0
    for holder, name in places:
        for value in WRONG:
            damaged = copy.deepcopy(event)
            (damaged if holder is event else damaged["requestContext"])[name] = value
            try:
                prepare(damaged, routes=["/x"])
            except UnsupportedEventError:
                refused += 1
    assert refused > len(WRONG)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rawPath", 5), ("rawPath", "x"), ("rawPath", []), ("headers", []), ("headers", "x"), ("cookies", {}),
     ("rawQueryString", 5), ("body", {"a": 1}), ("body", 5)],
)  # fmt: skip
def test_a_member_of_the_wrong_type_is_no_http_request(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedEventError):
        prepare(v2("/", **{name: value}))


@pytest.mark.parametrize("method", [None, 5, "", "get", "G T", "\ud800", "X" * 21])
def test_a_request_without_a_method_is_none(method: Any) -> None:
    event = v2("/")
    event["requestContext"]["http"]["method"] = method
    for each in (event, rest("/", httpMethod=method), load_balancer("/", httpMethod=method)):
        with pytest.raises(UnsupportedEventError):
            prepare(each)


@pytest.mark.parametrize("body", ["a", "é", "\ud800"])
def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused(body: str) -> None:
    with pytest.raises(UnsupportedEventError, match="base64"):
        prepare(v2("/", body=body, isBase64Encoded=True))
