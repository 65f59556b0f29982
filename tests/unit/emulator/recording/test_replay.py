"""From a fixture to the request that it was, and from two answers to their differences."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from emulator.commands.recording import parsed_secrets, rendered
from emulator.errors import EmulatorError
from emulator.recording import Answer, Fixture
from emulator.recording.redaction import redacted_content, redacted_event
from emulator.recording.replay import Difference, differences, request_of


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    return Answer("Api", status, {name.replace("_", "-"): [value] for name, value in headers.items()}, body)


def fixture(recorded: Answer | None = None, **members: Any) -> Fixture:
    event = {
        "version": "2.0",
        "routeKey": "POST /items/{id}",
        "rawPath": "/items/a b",
        "rawQueryString": "q=1&q=2",
        "headers": {"host": "localhost:3000", "content-length": "2", "x-forwarded-for": "1.2.3.4", "x-own": "yes"},
        "requestContext": {"http": {"method": "POST", "path": "/items/a b"}},
        "body": "{}",
        "isBase64Encoded": False,
    }
    return Fixture("post_items_id", {**event, **members}, recorded or answer())


def test_the_request_is_the_one_that_was_sent_without_what_the_gateway_added() -> None:
    request = request_of(fixture(), {})
    assert (request.method, request.target, request.body) == ("POST", "/items/a%20b?q=1&q=2", b"{}")
    assert request.headers == [("host", "localhost:3000"), ("x-own", "yes")]


def test_a_rest_event_gives_the_path_with_its_stage_and_every_value() -> None:
    event = {
        "httpMethod": "GET",
        "path": "/items",
        "resource": "/items",
        "multiValueHeaders": {"Accept": ["a", "b"]},
        "multiValueQueryStringParameters": {"q": ["1", "a&b"]},
        "requestContext": {"path": "/prod/items"},
        "body": None,
    }
    request = request_of(Fixture("get_items", event, answer()), {})
    assert (request.method, request.target, request.body) == ("GET", "/prod/items?q=1&q=a%26b", None)
    assert request.headers == [("Accept", "a"), ("Accept", "b")]


def test_a_redacted_value_is_left_away_or_given_again() -> None:
    redacted = fixture(
        headers={"x-api-key": "REDACTED", "accept": "*/*"},
        cookies=["session=REDACTED"],
        rawQueryString="a=1&token=REDACTED",
        body='{"user": "a", "password": "REDACTED"}',
    )
    without = request_of(redacted, {})
    assert without.headers == [("accept", "*/*")]
    assert without.target.endswith("?a=1")
    assert json.loads(without.body or b"") == {"user": "a"}
    secrets = {"x-api-key": "k", "cookie": "session=s", "token": "t", "password": "p"}
    again = request_of(redacted, secrets)
    assert again.headers == [("x-api-key", "k"), ("accept", "*/*"), ("cookie", "session=s")]
    assert again.target.endswith("?a=1&token=t")
    assert json.loads(again.body or b"") == {"user": "a", "password": "p"}


SENT = {"password": "p&q", "token": "t/1", "value": "v", "user": "u", "code": "c", "pin": "7", "apikey": "k"}


@pytest.mark.parametrize(
    ("body", "without"),
    [
        ("user=a b&password=p%26q", "user=a b"),
        ("a&password=p%26q\n", "a\n"),
        ("code=c&x=%2F", "x=%2F"),
        ('{"token": {"value": "v"}}', '{"token": {}}'),
        ('{"credentials": {"user": "u", "value": "v"}}', '{"credentials": {}}'),
        ('{"token": ["t/1", "t/1"], "a": 1}', '{"token": [], "a": 1}'),
        ('{"token": {"other": "t/1"}}', '{"token": {}}'),
        ('{"secret": {"pin": 7}}', '{"secret": {}}'),
        ('{"data": "{\\"password\\": \\"p&q\\"}"}', '{"data": "{}"}'),
        ('{"token": "t/1"}\n{"a": 1}', '{}\n{"a": 1}'),
        (
            '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nt/1\r\n--b--',
            '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nREDACTED\r\n--b--',
        ),
        ('{"link": "https://b/k?token=t/1&x=1"}', '{"link": "https://b/k?token=REDACTED&x=1"}'),
        ('{"name": "\\ud83d"}', '{"name": "\\ud83d"}'),
    ],
)
@pytest.mark.parametrize("is_encoded", [False, True])
def test_what_was_redacted_in_a_body_is_sent_again_when_it_is_given(body: str, without: str, is_encoded: bool) -> None:
    kept = base64.b64encode(body.encode()).decode() if is_encoded else body
    event = redacted_event(fixture(body=kept, isBase64Encoded=is_encoded).event)
    redacted = Fixture("post_items_id", event, answer())
    assert request_of(redacted, SENT).body == body.encode()
    assert request_of(redacted, {}).body == without.encode()


def test_what_was_redacted_in_an_address_is_sent_again_when_it_is_given() -> None:
    event = {
        "routeKey": "GET /t/{token}/{apiKey}",
        "rawPath": "/t/t 1/k",
        "pathParameters": {"token": "t 1", "apiKey": "k"},
        "rawQueryString": "code=c&next=/cb?token=t1&a=b%20c",
        "requestContext": {"http": {"method": "GET", "path": "/t/t 1/k"}},
    }
    redacted = Fixture("get_t", redacted_event(event), answer())
    given = request_of(redacted, {"token": "t 1", "apikey": "k", "code": "c"})
    assert given.target == "/t/t%201/k?code=c&next=/cb?token=t%201&a=b%20c"
    assert request_of(redacted, {"apikey": "k"}).target == "/t/REDACTED/k?next=/cb?token=REDACTED&a=b%20c"


def test_an_answer_in_another_encoding_is_compared_without_its_secrets() -> None:
    content = "name=\xe9&token={}".format
    kept = fixture(answer(body=redacted_content(content("one").encode("latin-1"))))
    assert differences(kept, answer(body=content("two").encode("latin-1"))) == []


@pytest.mark.parametrize(
    ("recorded", "now", "where"),
    [
        (answer(200), answer(404), ["status"]),
        (answer(content_type="a"), answer(content_type="b"), ["content-type"]),
        (answer(etag='"1"'), answer(), ["etag"]),
        (answer(), answer(etag='"1"'), ["etag"]),
        (answer(body=b'{"a": {"b": [1, 2]}}'), answer(body=b'{"a": {"b": [1, 3]}}'), ["body.a.b[1]"]),
        (answer(body=b'{"a": 1}'), answer(body=b'{"b": 1}'), ["body.a", "body.b"]),
        (answer(body=b"[1]"), answer(body=b"[1, 2]"), ["body"]),
        (answer(body=b"plain"), answer(body=b"other"), ["body"]),
        (answer(body=b"\xff\x00"), answer(body=b"\xff\x01"), ["body"]),
        (answer(body=b'{"a": 1}'), answer(body=b'{ "a":1 }'), []),
        (answer(date="a", apigw_requestid="1"), answer(date="b", apigw_requestid="2"), []),
        (answer(body=b'{"meta": {"request_id": "a"}}'), answer(body=b'{"meta": {"request_id": "b"}}'), []),
        (answer(body=b'{"token": "REDACTED"}'), answer(body=b'{"token": "secret"}'), []),
        (answer(set_cookie="REDACTED"), answer(set_cookie="s=1"), []),
    ],
)
def test_differences_of_status_headers_and_body(recorded: Answer, now: Answer, where: list[str]) -> None:
    assert [each.where for each in differences(fixture(recorded), now)] == where


def test_a_difference_shows_no_secret_of_the_new_answer() -> None:
    (found,) = differences(fixture(answer(body=b'{"a": 1}')), answer(body=b'{"a": 1, "token": "hunter2"}'))
    assert "hunter2" not in str(found)


def test_the_table_names_the_fixture_and_both_values() -> None:
    found = [Difference("get_items", "status", "200", "404"), Difference("get_items", "body.a", "1", "2")]
    assert rendered(found, 3).splitlines() == [
        "fixture    where   recorded  now",
        "get_items  status  200       404",
        "get_items  body.a  1         2",
        "",
        "3 fixtures, 1 with differences.",
    ]
    assert rendered([], 1) == "1 fixture, none with differences."


def test_secrets_are_given_as_name_and_value() -> None:
    assert parsed_secrets(["X-Api-Key=a=b", "password="]) == {"x-api-key": "a=b", "password": ""}
    with pytest.raises(EmulatorError, match="NAME=VALUE"):
        parsed_secrets(["x-api-key"])
