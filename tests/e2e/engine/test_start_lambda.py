"""The unmodified `sam local start-lambda` on the engine: events and answers that are no small JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, Command, write_project

MEGABYTE = 1024 * 1024


@dataclass
class Lambda:
    """What `sam local start-lambda` serves: its address, a client of boto3, and what it writes."""

    url: str
    client: Any
    sam: Command

    def invoke(self, function: str, payload: bytes, **options: str) -> Any:
        return self.client.invoke(FunctionName=function, Payload=payload, **options)

    def starts(self) -> int:
        return self.sam.text.count("START RequestId")


@pytest.fixture(scope="module")
def aws_lambda(tmp_path_factory: pytest.TempPathFactory, sts: str) -> Iterator[Lambda]:
    folder, port = tmp_path_factory.mktemp("lambda"), free_port()
    bench = Bench(folder, sts)
    url = f"http://127.0.0.1:{port}"
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=60)
    sam = bench.start_lambda(write_project(folder, "Raw", "Picture"), port)
    client = boto3.client("lambda", "us-east-1", endpoint_url=url, config=config)
    try:
        yield Lambda(url, client, sam)
    finally:
        client.close()
        sam.end()
        bench.engine.end()


def test_an_event_over_six_megabytes_is_200_with_lambdas_words_and_never_run(aws_lambda: Lambda) -> None:
    # Lambda: 413 RequestEntityTooLargeException. SAM CLI answers 200 whatever the container's status was.
    before = aws_lambda.starts()
    invoked = aws_lambda.invoke("Raw", json.dumps("x" * 6 * MEGABYTE).encode())
    assert invoked["StatusCode"] == 200
    assert "FunctionError" not in invoked
    assert json.loads(invoked["Payload"].read()) == {
        "Type": "User",
        "message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    }
    assert json.loads(aws_lambda.invoke("Raw", b'{"a": 1}')["Payload"].read()) == {"a": 1}
    assert aws_lambda.starts() == before + 1, "only the small one ran"


def test_an_event_of_almost_six_megabytes_is_taken(aws_lambda: Lambda) -> None:
    event = json.dumps("x" * (6 * MEGABYTE - 2)).encode()
    assert aws_lambda.invoke("Raw", event)["Payload"].read() == event


def test_an_answer_that_is_no_text_comes_out_as_it_is(aws_lambda: Lambda) -> None:
    assert aws_lambda.invoke("Picture", b"{}")["Payload"].read() == b"\xff\xd8\xff\xe0 a picture"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "image/png"}])
def test_an_event_is_json_whatever_its_sender_calls_it(aws_lambda: Lambda, headers: dict[str, str]) -> None:
    url = f"{aws_lambda.url}/2015-03-31/functions/Raw/invocations"
    assert httpx.post(url, content=b'{"a": 1}', headers=headers, timeout=60).json() == {"a": 1}
