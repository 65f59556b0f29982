"""A snapshot holds what would otherwise be made at the first requests, and nothing else makes it early."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from lambda_handler import prepare_snapshot
from shopping_bot import create_app
from shopping_bot.extensions import Extensions

from lambda_http import aws_clients

AWS_LAMBDA_INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
SETTINGS = {
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "CLAUDE_MODEL": "claude-x",
    "ES_INDEX": "products",
    "ES_URL": "http://127.0.0.1:9",
    "REDIS_HOST": "127.0.0.1",
    "SECRETS_MANAGER_SECRET": "arn",
    "TABLE_NAME": "table",
}
EXTENSIONS = {"secrets", "redis", "conversations", "claude", "product_index", "inventory", "product_search", "bot_core"}


def extensions(application: Flask) -> set[str]:
    """Return the names of the extensions that were made."""
    made = application.extensions["shopping_bot"]
    assert isinstance(made, Extensions)
    return {name for name in EXTENSIONS if getattr(made, f"_{name}") is not None}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, int], Any]:
    """The clients that were made, by service and attempts."""
    made: dict[tuple[str, int], Any] = {}
    monkeypatch.setattr(aws_clients, "_clients", made)
    return made


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Flask:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return create_app("lambda")


def test_every_client_and_extension_is_in_a_snapshot(
    made: dict[tuple[str, int], Any], application: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AWS_LAMBDA_INITIALIZATION_TYPE, "snap-start")

    prepare_snapshot(application)

    assert set(made) == {("dynamodb", 1), ("secretsmanager", 2)}
    assert extensions(application) == EXTENSIONS


def test_an_extension_without_its_setting_does_not_keep_the_others_out(
    made: dict[tuple[str, int], Any], application: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(AWS_LAMBDA_INITIALIZATION_TYPE, "snap-start")
    application.config["ANTHROPIC_BASE_URL"] = ""

    prepare_snapshot(application)

    assert extensions(application) == EXTENSIONS - {"claude", "bot_core"}


@pytest.mark.parametrize("kind", ["on-demand", None])
def test_without_a_snapshot_nothing_is_made(
    made: dict[tuple[str, int], Any], application: Flask, monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    monkeypatch.delenv(AWS_LAMBDA_INITIALIZATION_TYPE, raising=False)
    if kind is not None:
        monkeypatch.setenv(AWS_LAMBDA_INITIALIZATION_TYPE, kind)

    prepare_snapshot(application)

    assert (made, extensions(application)) == ({}, set())
