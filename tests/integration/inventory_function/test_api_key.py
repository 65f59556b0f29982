from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from emulator.aws.clients import Clients
from lambda_http.json_secret import JsonSecret, read_secret

Send = Callable[..., Any]
TEA = {"name": "Assam tea", "qty": 5}


@pytest.fixture
def key(owner: Clients, function_environment: Mapping[str, str]) -> str:
    name = function_environment["SECRETS_MANAGER_SECRET"]
    secret = owner.secretsmanager.get_secret_value(SecretId=name)["SecretString"]
    value: str = json.loads(secret)["INVENTORY_API_KEY"]
    return value


def test_writes_need_the_key_of_the_secret(
    inventory: Send,
    sku: str,
    key: str,
    function_environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app import api_key

    monkeypatch.setenv("REQUIRE_API_KEY", "true")
    secret = function_environment["SECRETS_MANAGER_SECRET"]
    monkeypatch.setattr(api_key, "secret", JsonSecret(lambda: read_secret(secret), print))

    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": ""}):
        refused = inventory("PUT", f"/inventory/{sku}", TEA, headers)
        assert refused.status == 401
        assert "www-authenticate" in refused.headers
        assert key not in refused.body.decode()
    assert inventory("GET", f"/inventory/{sku}").status == 404
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"x-api-key": key}).status == 201
