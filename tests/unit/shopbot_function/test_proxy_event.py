from __future__ import annotations

from typing import Any

import pytest
from shopping_bot.proxy_event import ROOT_PATH, UnsupportedEventError, answer, prepare, request_id


def v2(path: str, stage: str = "$default", **more: Any) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.9"}
    context = {
        "http": http,
        "stage": stage,
        "requestId": "v2-id",
        "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
    }
    return {"version": "2.0", "routeKey": "$default", "rawPath": path, "headers": {}, "requestContext": context, **more}


def rest(path: str, seen: str, stage: str = "prod") -> dict[str, Any]:
    context = {"stage": stage, "path": seen, "requestId": "rest-id", "identity": {"sourceIp": "203.0.113.9"}}
    return {"resource": "/{proxy+}", "path": path, "httpMethod": "GET", "headers": {}, "requestContext": context}


@pytest.mark.parametrize(
    ("event", "path", "root_path"),
    [
        (v2("/chat"), "/chat", ""),
        (v2("/prod/chat", "prod"), "/chat", "/prod"),
        (v2("/prod", "prod"), "/", "/prod"),
        (v2("/prod/", "prod"), "/", "/prod"),
        (v2("/production/chat", "prod"), "/production/chat", ""),
        (v2("/chat", "prod"), "/chat", ""),
    ],
)
def test_the_path_of_an_http_api(event: dict[str, Any], path: str, root_path: str) -> None:
    prepared = prepare(event)

    assert (prepared["rawPath"], prepared[ROOT_PATH]) == (path, root_path)


@pytest.mark.parametrize(
    ("event", "path", "root_path"),
    [
        (rest("/chat", "/prod/chat"), "/chat", "/prod"),
        (rest("/chat", "/chat"), "/chat", ""),
        (rest("/", "/prod"), "/", "/prod"),
        (rest("/", "/prod/"), "/", "/prod"),
    ],
)
def test_the_path_of_a_rest_api(event: dict[str, Any], path: str, root_path: str) -> None:
    prepared = prepare(event)

    assert (prepared["path"], prepared[ROOT_PATH]) == (path, root_path)


def test_only_http_apis_decode_the_path() -> None:
    assert prepare(v2("/chat/a%41?b"))["rawPath"] == "/chat/a%2541%3Fb"
    assert prepare(v2("/chat/\ud800é"))["rawPath"] == "/chat/%3F%C3%A9"
    assert prepare(rest("/chat/a%2541", "/"))["path"] == "/chat/a%2541"
    url = v2("/chat/a%2541")
    url["requestContext"]["domainName"] = "abc.lambda-url.eu-west-1.on.aws"
    assert prepare(url)["rawPath"] == "/chat/a%2541"


@pytest.mark.parametrize(
    "event",
    [None, [], "x", {}, {"Records": []}, {"requestContext": {}}, {"requestContext": "x"}, {"source": "aws.events"}],
)
def test_other_events_are_refused_with_a_reason(event: Any) -> None:
    with pytest.raises(UnsupportedEventError, match="answers HTTP requests"):
        prepare(event)


def test_bodies_become_bytes() -> None:
    assert prepare(v2("/", body="aGk=", isBase64Encoded=True))["body"] == b"hi"
    assert prepare(v2("/", body=None, isBase64Encoded=True))["body"] == b""
    assert prepare(v2("/", body="é"))["body"] == "é".encode()
    assert prepare(v2("/", body="\ud800"))["body"] == b"\xed\xa0\x80"
    with pytest.raises(UnsupportedEventError, match="base64"):
        prepare(v2("/", body="a", isBase64Encoded=True))
    with pytest.raises(UnsupportedEventError, match="string"):
        prepare(v2("/", body={"a": 1}))


def test_headers_that_trip_the_adapter() -> None:
    given = {
        "Host": "[::1]:3000",
        "X-Forwarded-Port": "abc",
        "X-Forwarded-Proto": "javascript",
        "A": None,
        "B": "b\r\nc: d",
    }

    assert prepare(v2("/", headers=given))["headers"] == {"Host": "abc.execute-api.eu-west-1.amazonaws.com"}
    assert prepare({**v2("/"), "headers": None})["headers"] == {}
    many = {**rest("/", "/"), "headers": None, "multiValueHeaders": {"Accept": ["a", "b"]}}
    assert prepare(many)["headers"] == {"Accept": "a, b"}


def test_an_authorizer_may_be_null() -> None:
    event = v2("/")
    event["requestContext"]["authorizer"] = None
    assert "authorizer" not in prepare(event)["requestContext"]
    event["requestContext"]["authorizer"] = {"jwt": {}}
    assert prepare(event)["requestContext"]["authorizer"] == {"jwt": {}}


def test_cookies() -> None:
    assert prepare(v2("/", cookies=["a=1", "b=2"]))["cookies"] == ["a=1", "b=2"]
    assert prepare(v2("/", headers={"Cookie": "a=1"}))["cookies"] == ["a=1"]
    assert prepare(v2("/", cookies=None))["cookies"] == []


ANSWER = {
    "statusCode": 200,
    "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "Content-Type": ["text/plain"]},
    "statusDescription": "200 OK",
    "body": "hi",
    "isBase64Encoded": False,
}


def test_answers_of_each_source() -> None:
    elb: dict[str, Any] = {"requestContext": {"elb": {}}}

    assert answer(v2("/"), ANSWER) == {
        "statusCode": 200,
        "headers": {"Content-Type": "text/plain"},
        "cookies": ["a=1", "b=2"],
        "body": "hi",
        "isBase64Encoded": False,
    }
    for event in (rest("/", "/"), {**elb, "multiValueHeaders": {"host": ["x"]}}):
        assert answer(event, ANSWER)["multiValueHeaders"] == ANSWER["multiValueHeaders"]
    single = answer({**elb, "headers": {}}, ANSWER)
    assert single["headers"] == {"set-cookie": "a=1", "Set-cookie": "b=2", "content-type": "text/plain"}
    assert single["statusDescription"] == "200 OK"
    assert answer(v2("/"), {"statusCode": 204}) == {
        "statusCode": 204,
        "headers": {},
        "body": "",
        "isBase64Encoded": False,
    }


def test_request_ids() -> None:
    class Context:
        aws_request_id = "lambda-id"

    trace = {"X-Amzn-Trace-Id": "Self=1-2;Root=1-67891233-abcdef;Foo=bar"}
    assert request_id(v2("/"), Context()) == "v2-id"
    assert request_id({"requestContext": {"elb": {}}, "headers": trace}, Context()) == "1-67891233-abcdef"
    assert request_id({"requestContext": {"elb": {}}, "headers": None}, Context()) == "lambda-id"
    assert request_id({}, None) == "-"
