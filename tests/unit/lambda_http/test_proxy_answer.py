"""One answer, in the format of each source."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_http.proxy_answer import shape
from tests.unit.lambda_http.events import load_balancer, rest, v2

FROM_MANGUM = {
    "statusCode": 200,
    "headers": {"content-type": "text/plain", "vary": "a,b"},
    "cookies": ["a=1", "b=2"],
    "body": "hi",
    "isBase64Encoded": False,
}
FROM_SERVERLESS_WSGI = {
    "statusCode": 200,
    # It varies the case of names that repeat.
    "headers": {"Content-Type": "text/plain", "Vary": "a,b", "set-cookie": "a=1", "Set-cookie": "b=2"},
    "body": "hi",
    "isBase64Encoded": False,
}
FROM_SERVERLESS_WSGI_AS_LISTS = {
    **FROM_SERVERLESS_WSGI,
    "headers": None,
    "multiValueHeaders": {"Content-Type": ["text/plain"], "Vary": ["a,b"], "Set-Cookie": ["a=1", "b=2"]},
}
ANSWERS = [FROM_MANGUM, FROM_SERVERLESS_WSGI, FROM_SERVERLESS_WSGI_AS_LISTS]
LISTS = {"content-type": ["text/plain"], "vary": ["a,b"], "set-cookie": ["a=1", "b=2"]}
BODY = {"statusCode": 200, "body": "hi", "isBase64Encoded": False}


@pytest.mark.parametrize("answer", ANSWERS)
class TestAnswers:
    def test_payload_2_0_has_cookies_apart(self, answer: dict[str, Any]) -> None:
        headers = {"content-type": "text/plain", "vary": "a,b"}
        assert shape(v2("/"), answer) == {**BODY, "headers": headers, "cookies": ["a=1", "b=2"]}

    def test_rest_and_payload_1_0_have_lists(self, answer: dict[str, Any]) -> None:
        for event in (rest("/"), {**rest("/"), "version": "1.0"}):
            assert shape(event, answer) == {**BODY, "multiValueHeaders": LISTS}

    def test_a_load_balancer_gets_what_its_target_group_sends(self, answer: dict[str, Any]) -> None:
        described = {**BODY, "statusDescription": "200 OK"}
        assert shape(load_balancer("/", multiValueHeaders={}), answer) == {**described, "multiValueHeaders": LISTS}
        single = {"content-type": "text/plain", "vary": "a,b", "set-cookie": "a=1", "Set-cookie": "b=2"}
        assert shape(load_balancer("/"), answer) == {**described, "headers": single}


def test_an_answer_without_a_body() -> None:
    assert shape(v2("/"), {"statusCode": 204}) == {
        "statusCode": 204,
        "headers": {},
        "body": "",
        "isBase64Encoded": False,
    }
    assert shape(load_balancer("/"), {"statusCode": 299})["statusDescription"] == "299 Unknown"


def test_a_text_that_escapes_would_swell_is_sent_as_base64() -> None:
    answer = shape(v2("/"), {**FROM_MANGUM, "body": "\x01" * (4 * 1024 * 1024)})

    assert answer["isBase64Encoded"]
    assert len(json.dumps(answer)) < 6 * 1024 * 1024
