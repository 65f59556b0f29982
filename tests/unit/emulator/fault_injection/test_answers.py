"""Errors have the form of the backing service that they stand for."""

from __future__ import annotations

import json

import pytest

from emulator.fault_injection.answers import http_error, redis_error

JSON_CALL = b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem"


def parts(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    assert int(headers["content-length"]) == len(body)
    assert headers["connection"] == "close"
    return first, headers, body


@pytest.mark.parametrize(
    ("status", "kind"), [(529, "overloaded_error"), (429, "rate_limit_error"), (401, "authentication_error")]
)
def test_anthropic(status: int, kind: str) -> None:
    first, headers, body = parts(http_error("anthropic", status, b""))
    assert first.startswith(f"HTTP/1.1 {status} ")
    assert json.loads(body)["error"]["type"] == kind
    assert json.loads(body)["request_id"] == headers["request-id"]
    assert ("retry-after" in headers) == (status == 429)


def test_elasticsearch() -> None:
    _, headers, body = parts(http_error("elasticsearch", 503, b""))
    assert headers["x-elastic-product"] == "Elasticsearch"
    assert json.loads(body)["status"] == 503
    assert json.loads(body)["error"]["root_cause"][0]["type"] == "cluster_block_exception"


def test_aws_answers_in_the_protocol_of_the_request() -> None:
    _, headers, body = parts(http_error("aws", 400, JSON_CALL))
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert json.loads(body)["__type"] == "ThrottlingException"
    _, headers, body = parts(http_error("aws", 503, b"GET /bucket/key HTTP/1.1"))
    assert headers["content-type"] == "application/xml"
    assert b"<Code>SlowDown</Code>" in body


def test_an_answer_to_head_has_no_body() -> None:
    assert http_error("elasticsearch", 503, b"HEAD / HTTP/1.1").endswith(b"\r\n\r\n")


def test_redis() -> None:
    assert redis_error("") == b"-ERR The emulator was told to answer with this error.\r\n"
    assert redis_error("loading") == b"-LOADING Redis is loading the dataset in memory\r\n"
