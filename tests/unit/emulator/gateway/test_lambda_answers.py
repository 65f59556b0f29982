"""What a function's answer becomes (Developer Guide, "Lambda function response format" for HTTP APIs)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from emulator.engine import lambda_errors
from emulator.engine.invocation import Outcome
from tests.unit.emulator.gateway.api_client import (
    Answer,
    Client,
    function_with,
    http_api,
    http_event,
    rest_api,
    rest_event,
    serve,
)

FAILED = (500, {"message": "Internal Server Error"})
MALFORMED = (502, {"message": "Internal server error"})


def answered(folder: Path, answer: Any, version: str = "2.0", method: str = "GET") -> Answer:
    answers: list[Answer] = []

    async def work(client: Client) -> None:
        answers.append(await client.request(method, "/a"))

    events = {"A": http_event("ANY", "/a", PayloadFormatVersion=version)}
    serve(folder, {"Api": http_api(), "F": function_with(events)}, work, F=lambda _: answer)
    return answers[0]


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("Hello from Lambda!", b"Hello from Lambda!"),
        ({"message": "Hello"}, b'{"message": "Hello"}'),
        ([1, 2], b"[1, 2]"),
        (7, b"7"),
        (None, b"null"),
        (True, b"true"),
    ],
)
def test_a_bare_value_is_the_body_of_a_json_answer(tmp_path: Path, value: Any, body: bytes) -> None:
    answer = answered(tmp_path, value)
    assert (answer.status, answer.body) == (200, body)
    assert answer.header("content-type") == "application/json"


def test_status_headers_cookies_and_body_are_the_functions(tmp_path: Path) -> None:
    answer = answered(
        tmp_path,
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/html", "X-Number": 5, "X-True": True},
            "cookies": ["a=1; Secure", "b=2"],
            "body": "<p>é</p>",
        },
    )
    assert (answer.status, answer.body) == (201, "<p>é</p>".encode())
    assert answer.header("content-type") == "text/html"
    assert (answer.header("x-number"), answer.header("x-true")) == ("5", "true")
    assert answer.all("set-cookie") == ["a=1; Secure", "b=2"]


def test_a_base64_body_is_decoded(tmp_path: Path) -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    answer = answered(tmp_path, {"statusCode": 200, "body": body, "isBase64Encoded": True})
    assert answer.body == b"\x00\xff"
    assert answer.header("content-length") == "2"


def test_a_body_without_a_type_is_plain_text(tmp_path: Path) -> None:
    assert answered(tmp_path, {"statusCode": 200, "body": "x"}).header("content-type") == "text/plain;charset=UTF-8"


def test_an_answer_without_a_body_is_empty(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"statusCode": "204"})
    assert (answer.status, answer.body) == (204, b"")


def test_the_answer_to_head_has_no_body(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"statusCode": 200, "body": "hello"}, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("content-length") == "5"


def test_the_functions_own_framing_headers_are_passed_over(tmp_path: Path) -> None:
    answer = answered(
        tmp_path,
        {"statusCode": 200, "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}, "body": "hello"},
    )
    assert answer.all("content-length") == ["5"]
    assert answer.header("transfer-encoding") is None
    assert answer.body == b"hello"


def test_framing_headers_in_the_other_form_are_passed_over_too(tmp_path: Path) -> None:
    framing = {"content-length": ["1"], "transfer-encoding": ["chunked"], "connection": ["close"]}
    answer = answered(tmp_path, {"statusCode": 200, "multiValueHeaders": framing, "body": "hello"}, "1.0")
    assert answer.all("content-length") == ["5"]
    assert answer.header("transfer-encoding") is None
    assert answer.body == b"hello"


def test_what_api_gateway_says_itself_is_there_once(tmp_path: Path) -> None:
    answer = answered(tmp_path, {"statusCode": 200, "headers": {"Date": "then", "Apigw-Requestid": "mine"}})
    assert len(answer.all("date")) == len(answer.all("apigw-requestid")) == 1
    assert "then" not in answer.all("date")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_null_is_no_value_of_a_header(tmp_path: Path, version: str) -> None:
    answer = {"statusCode": 200, "headers": {"a": None}, "multiValueHeaders": {"b": [None]}, "cookies": [None]}
    given = answered(tmp_path, answer, version)
    assert not {"a", "b", "set-cookie"} & {name for name, _ in given.headers}


UNUSABLE: list[Any] = [
    {"statusCode": "abc"},
    {"statusCode": 99},
    {"statusCode": 600},
    {"statusCode": True},
    {"statusCode": 200.5},
    {"statusCode": 200, "body": {"a": 1}},
    {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
    {"statusCode": 200, "isBase64Encoded": "yes"},
    {"statusCode": 200, "headers": ["a"]},
    {"statusCode": 200, "headers": {"a": ["b"]}},
    {"statusCode": 200, "headers": {"a b": "c"}},
    {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: x=1"}},
    {"statusCode": 200, "headers": {"a": "x" * 10_241}},
]


@pytest.mark.parametrize("answer", [*UNUSABLE, {"statusCode": 200, "cookies": "a=1"}], ids=repr)
def test_an_unusable_answer_is_500(tmp_path: Path, answer: Any) -> None:
    given = answered(tmp_path, answer)
    assert (given.status, given.json) == FAILED


@pytest.mark.parametrize("answer", ["text", None, [], {}, {"body": "no status"}, *UNUSABLE], ids=repr)
def test_format_1_0_takes_no_bare_values(tmp_path: Path, answer: Any) -> None:
    given = answered(tmp_path, answer, "1.0")
    assert (given.status, given.json) == FAILED


def test_format_1_0_merges_both_forms_of_headers(tmp_path: Path) -> None:
    answer = answered(
        tmp_path,
        {
            "statusCode": 200,
            "headers": {"X-One": "1", "X-Two": "a"},
            "multiValueHeaders": {"x-two": ["a", "b"], "Set-Cookie": ["a=1", "b=2"]},
        },
        "1.0",
    )
    assert answer.all("x-one") == ["1"]
    assert answer.all("x-two") == ["a", "b"]
    assert answer.all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(b'{"errorType":"ValueError","errorMessage":"secret"}', is_error=True),
        Outcome.of(lambda_errors.timed_out("id", 3, "now"), "timeout"),
        Outcome(b"no JSON"),
        Outcome(b'{"v": NaN}'),
    ],
)
def test_a_functions_error_is_500_and_tells_nothing(tmp_path: Path, outcome: Outcome) -> None:
    answer = answered(tmp_path, outcome)
    assert (answer.status, answer.json) == FAILED


@pytest.mark.parametrize(
    "answer",
    [
        *("text", None, {}, {"body": "x"}, Outcome(b"{}", is_error=True), Outcome(b"no JSON")),
        *(answer for answer in UNUSABLE if answer.get("isBase64Encoded") is not True),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_rest_api_answers_502_to_what_it_cannot_use(tmp_path: Path, answer: Any) -> None:
    async def work(client: Client) -> None:
        given = await client.get("/prod/a")
        assert (given.status, given.json) == MALFORMED
        assert given.header("x-amzn-errortype") == "InternalServerErrorException"

    serve(tmp_path, {"Api": rest_api(), "F": function_with({"A": rest_event("get", "/a")})}, work, F=lambda _: answer)
