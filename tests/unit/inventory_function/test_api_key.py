from __future__ import annotations

from typing import Any

import pytest
from app.api_key import LIFETIME_SECONDS, REFETCH_SECONDS, ApiKey, read_secret
from app.problem import Problem


class Secret:
    """Counts how often it is read; `key` is an exception when it cannot be."""

    def __init__(self, key: str | Exception) -> None:
        self.key = key
        self.reads = 0
        self.time = 1000.0

    def read(self) -> str:
        self.reads += 1
        if isinstance(self.key, Exception):
            raise self.key
        return self.key

    def status(self, api_key: ApiKey, given: str | None) -> int:
        try:
            api_key.check(given)
        except Problem as problem:
            return problem.status_code
        return 200


@pytest.fixture
def secret() -> Secret:
    return Secret("right")


@pytest.fixture
def api_key(secret: Secret) -> ApiKey:
    return ApiKey(secret.read, clock=lambda: secret.time)


def test_only_the_key_passes(secret: Secret, api_key: ApiKey) -> None:
    given: list[Any] = ["right", "wrong", "righ", "rightt", "", None, "é", "\ud800"]

    assert [secret.status(api_key, key) for key in given] == [200] + [401] * 7


def test_the_key_is_read_once_in_its_lifetime(secret: Secret, api_key: ApiKey) -> None:
    for _ in range(5):
        assert secret.status(api_key, "right") == 200
    secret.time += LIFETIME_SECONDS
    assert secret.status(api_key, "right") == 200

    assert secret.reads == 2


def test_a_rotated_key_passes_at_once(secret: Secret, api_key: ApiKey) -> None:
    secret.status(api_key, "right")
    secret.time += REFETCH_SECONDS
    secret.key = "new"

    assert secret.status(api_key, "new") == 200
    assert secret.status(api_key, "right") == 401


def test_a_flood_of_wrong_keys_costs_few_reads(secret: Secret, api_key: ApiKey) -> None:
    for _ in range(1000):
        assert secret.status(api_key, "wrong") == 401
        secret.time += 0.06

    assert secret.reads <= 60 / REFETCH_SECONDS + 1


def test_without_a_key_the_answer_names_it(secret: Secret, api_key: ApiKey) -> None:
    secret.key = ValueError("no key")

    with pytest.raises(Problem) as refusal:
        api_key.check("right")

    assert refusal.value.status_code == 503
    assert "INVENTORY_API_KEY" in refusal.value.detail
    assert refusal.value.headers == {"Retry-After": "1"}
    assert [secret.status(api_key, "right") for _ in range(20)] == [503] * 20
    assert secret.reads == 1


def test_the_last_key_stays_good_while_the_secret_is_away(secret: Secret, api_key: ApiKey) -> None:
    secret.status(api_key, "right")
    secret.key = TimeoutError()
    secret.time += 2 * LIFETIME_SECONDS

    assert [secret.status(api_key, key) for key in ("right", "wrong")] == [200, 401]
    assert secret.reads == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"INVENTORY_API_KEY": ""}', '{"INVENTORY_API_KEY": 5}'])
def test_a_secret_without_the_key(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import clients

    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "x")

    class Client:
        def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803  botocore's name
            return {"SecretString": text}

    monkeypatch.setattr(clients, "secretsmanager", Client)

    with pytest.raises(ValueError) as error:
        read_secret()

    assert "not json" not in str(error.value)
    assert error.value.__cause__ is None
