"""The proxies of the backing services: errors have the form of the one they stand for, and what is closed stays so."""

from __future__ import annotations

import json

import pytest

from emulator.aws.wire import WIRE as AWS
from emulator.backing_services.anthropic import WIRE as ANTHROPIC
from emulator.backing_services.elasticsearch import WIRE as ELASTICSEARCH
from emulator.fault_injection import Head

HEAD = Head(b"POST", b"/", {})


@pytest.mark.parametrize(
    ("status", "kind"), [(529, "overloaded_error"), (429, "rate_limit_error"), (401, "authentication_error")]
)
def test_anthropic(status: int, kind: str) -> None:
    body = ANTHROPIC.error_body(status, HEAD)
    said = json.loads(body.content)
    assert (said["type"], said["error"]["type"]) == ("error", kind)
    assert said["request_id"] == body.headers["request-id"]
    assert ANTHROPIC.usual_status == 529


def test_elasticsearch() -> None:
    body = ELASTICSEARCH.error_body(503, HEAD)
    assert body.headers == {"X-Elastic-Product": "Elasticsearch"}
    said = json.loads(body.content)
    assert (said["status"], said["error"]["root_cause"][0]["type"]) == (503, "cluster_block_exception")


@pytest.mark.parametrize(
    "headers", [{b"x-amz-target": b"DynamoDB_20120810.GetItem"}, {b"content-type": b"application/x-amz-json-1.1"}]
)
def test_aws_in_json(headers: dict[bytes, bytes]) -> None:
    body = AWS.error_body(400, Head(b"POST", b"/", headers))
    assert body.media_type == "application/x-amz-json-1.0"
    assert json.loads(body.content)["__type"] == "ThrottlingException"


def test_aws_in_xml() -> None:
    body = AWS.error_body(503, Head(b"GET", b"/bucket/key", {}))
    assert body.media_type == "application/xml"
    assert b"<Code>SlowDown</Code>" in body.content


def test_ministacks_own_pages_are_closed_to_its_clients() -> None:
    for path, is_closed in (("/_ministack/reset", True), ("/bucket/_ministack/reset", False)):
        reader = AWS.reader({b"127.0.0.1:4566"})
        reader.feed(f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:4566\r\ncontent-length: 0\r\n\r\n".encode())
        assert (reader.error_response is not None) is is_closed
