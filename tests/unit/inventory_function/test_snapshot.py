"""A snapshot holds the clients that would otherwise be made at the first requests; nothing else makes them early."""

from __future__ import annotations

from typing import Any

import pytest
from app import clients, snapshot

AWS_LAMBDA_INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients that were made, by service."""
    made: dict[str, Any] = {}
    monkeypatch.setattr(clients, "_clients", made)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return made


def test_every_client_is_in_a_snapshot(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AWS_LAMBDA_INITIALIZATION_TYPE, "snap-start")

    snapshot.prepare()

    assert set(made) == {"dynamodb", "s3", "secretsmanager"}


@pytest.mark.parametrize("kind", ["on-demand", None])
def test_without_a_snapshot_none_is_made(
    made: dict[str, Any], monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    monkeypatch.delenv(AWS_LAMBDA_INITIALIZATION_TYPE, raising=False)
    if kind is not None:
        monkeypatch.setenv(AWS_LAMBDA_INITIALIZATION_TYPE, kind)

    snapshot.prepare()

    assert made == {}
