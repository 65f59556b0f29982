"""What a recorded fixture never holds."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from emulator.recording.redaction import REDACTED, REDACTED_NUMBER, redacted_body, redacted_event, redacted_headers

SECRET = "hunter2hunter2"


def event(**members: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "POST /login",
        "headers": {"accept": "*/*"},
        "isBase64Encoded": False,
        **members,
    }


@pytest.mark.parametrize(
    "member",
    [
        {"headers": {"authorization": f"Bearer {SECRET}"}},
        {"headers": {"X-Api-Key": SECRET}},
        {"headers": {"cookie": f"session={SECRET}"}},
        {"headers": {"x-amz-security-token": SECRET}},
        {"multiValueHeaders": {"Authorization": [f"Basic {SECRET}", SECRET]}},
        {"cookies": [f"session={SECRET}", f"theme={SECRET}"]},
        {"rawQueryString": f"a=1&access_token={SECRET}", "queryStringParameters": {"a": "1", "access_token": SECRET}},
        {"multiValueQueryStringParameters": {"api_key": [SECRET]}},
        {"headers": {"referer": f"https://example.com/?X-Amz-Signature={SECRET}&a=1"}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"sub": SECRET}}}}},
        {"requestContext": {"identity": {"apiKey": SECRET}}},
        {"body": json.dumps({"user": {"password": SECRET}, "clientSecret": SECRET, "tokens": [SECRET]})},
        *(
            {"headers": {name: SECRET}}
            for name in ("Authentication", "X-Auth", "X-Session-Id", "X-Auth-Token", "X-CSRF-Token")
        ),
        *({"rawQueryString": f"a=1&{name}={SECRET}"} for name in ("code", "code_verifier", "client%5Fsecret")),
        {"rawQueryString": f"next=/cb?token={SECRET}&a=1"},
        {"queryStringParameters": {"code": SECRET, "a": "1"}},
        {"headers": {"referer": f"https://example.com/cb#access_token={SECRET}"}},
        {"stageVariables": {"apiKey": SECRET}},
        {
            "rawPath": f"/prod/reset/{SECRET}/now",
            "path": f"/reset/{SECRET}/now",
            "pathParameters": {"token": SECRET, "step": "now"},
            "requestContext": {"path": f"/prod/reset/{SECRET}/now", "http": {"path": f"/prod/reset/{SECRET}/now"}},
        },
        {"body": f"user=a&password={SECRET}"},
        {"body": f"a&password={SECRET}"},
        {"body": f"password={SECRET}\n"},
        {"body": f"user=a b&password={SECRET}"},
        {"body": f"grant_type=authorization_code&code={SECRET}&code_verifier={SECRET}"},
        {"body": f"user=a\r\npassword={SECRET} {SECRET}\r\n"},
        {"body": f'--b\r\nContent-Disposition: form-data; name="password"\r\nX-A: 1\r\n\r\n{SECRET}\r\n--b--\r\n'},
        {"body": f'{{"token":"{SECRET}"}}\n{{"a":1}}\n'},
        {"body": json.dumps({"token": {"value": SECRET}})},
        {"body": json.dumps({"credentials": {"user": SECRET, "list": [[SECRET], {"value": SECRET}]}})},
        {"body": json.dumps({"authorization": [f"Bearer {SECRET}", 1]})},
        {"body": json.dumps({"data": json.dumps({"password": SECRET})})},
        {"body": json.dumps(json.dumps([{"password": SECRET}]))},
        {"body": json.dumps({"links": [f"https://b/k?X-Amz-Signature={SECRET}"]})},
        *(
            {"body": base64.b64encode(form).decode(), "isBase64Encoded": True}
            for form in (f"user=a b&password={SECRET}".encode(), f"user=\xe9&password={SECRET}".encode("latin-1"))
        ),
        {"body": base64.b64encode(f'{{"token":"{SECRET}"}}'.encode()).decode(), "isBase64Encoded": True},
    ],
)
def test_no_secret_is_kept_and_its_place_shows(member: dict[str, Any]) -> None:
    found = redacted_event(event(**member))
    text = json.dumps(found)
    if found["isBase64Encoded"]:
        text += base64.b64decode(found["body"]).decode("latin-1")
    assert SECRET not in text
    assert REDACTED in text


def test_numbers_are_redacted_and_counts_of_tokens_are_not() -> None:
    body = {"password": 12345, "pins": {"token": [1, 0.5, True, None]}, "max_tokens": 5, "has_password": False}
    assert json.loads(redacted_body(json.dumps(body))) == {
        "password": REDACTED_NUMBER,
        "pins": {"token": [REDACTED_NUMBER, REDACTED_NUMBER, True, None]},
        "max_tokens": 5,
        "has_password": False,
    }


@pytest.mark.parametrize(
    "body",
    [
        '{"code": "NOT_FOUND", "session_id": "s1", "text": "a {b", "next": "/a?page=2"}',
        "user=a+b&next=%2F&session_id=s1",
        '{"a": 1}\n{"b": [ ]}\n',
        "form-data;" * 5000,
        'form-data;name="a"\n' * 5000,
        "[" * 5000,
    ],
)
def test_a_body_without_a_secret_stays_as_it_was_sent(body: str) -> None:
    assert redacted_body(body) == body


def test_what_is_no_secret_stays_beside_one() -> None:
    assert redacted_body(f"user=a+b&password={SECRET}&next=%2F\n") == f"user=a+b&password={REDACTED}&next=%2F\n"
    found = redacted_event(event(rawPath="/t/ab/ab1/ab", pathParameters={"id": "ab1", "token": "ab"}))
    assert (found["rawPath"], found["pathParameters"]) == (
        f"/t/{REDACTED}/ab1/{REDACTED}",
        {"id": "ab1", "token": REDACTED},
    )


def test_what_is_no_secret_stays_as_it_was_sent() -> None:
    plain = event(
        headers={"content-type": "application/json", "x-amzn-trace-id": "Root=1-2-3"},
        rawQueryString="q=a%20b&next=%2F",
        body='{"sku": "A",  "max_tokens": 5, "note": null}',
        requestContext={"http": {"method": "POST", "path": "/login"}, "identity": {"apiKey": None}},
    )
    assert redacted_event(plain) == plain


def test_an_answer_loses_its_cookies_and_the_signature_of_its_link() -> None:
    found = redacted_headers(
        {"set-cookie": [f"s={SECRET}"], "location": [f"http://b/k?X-Amz-Signature={SECRET}&X-Amz-Expires=5"]}
    )
    assert found == {"set-cookie": [REDACTED], "location": [f"http://b/k?X-Amz-Signature={REDACTED}&X-Amz-Expires=5"]}


def test_a_body_that_is_neither_json_nor_a_form_stays() -> None:
    for body in ("", "hello", "a = b & password = c", "\x00\x01"):
        assert redacted_body(body) == body
