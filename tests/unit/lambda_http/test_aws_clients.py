"""Clients are made once, with time limits, and from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambda_http import aws_clients


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws_clients.forget()
    yield
    aws_clients.forget()


def test_a_client_is_made_once_for_all_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: aws_clients.dynamodb(), range(8)))

    assert len(made) == 1
    assert aws_clients.dynamodb(max_attempts=2) not in made


def test_a_client_is_made_anew_from_the_environment_after_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = aws_clients.secretsmanager()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    aws_clients.forget()

    assert aws_clients.secretsmanager() is not before
    assert aws_clients.secretsmanager().meta.endpoint_url == "http://127.0.0.1:9"


def test_every_call_ends() -> None:
    clients = ((aws_clients.dynamodb(), 1), (aws_clients.s3(), 1), (aws_clients.secretsmanager(), 2))
    for client, attempts in clients:
        config: Any = client.meta.config
        assert config.connect_timeout == aws_clients.CONNECT_TIMEOUT_SECONDS
        assert config.read_timeout == aws_clients.READ_TIMEOUT_SECONDS
        assert config.retries == {"mode": "standard", "total_max_attempts": attempts}
