from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from shopping_bot import clients
from shopping_bot.backends.secrets import LIFETIME_SECONDS, REFETCH_SECONDS, SecretError, Secrets, read_secret


class Store:
    """Counts how often the secret is read; `members` is an exception when it cannot be."""

    def __init__(self) -> None:
        self.members: Any = {"ANTHROPIC_API_KEY": "key-1", "REDIS_PASSWORD": "", "ODD": 5}
        self.reads = 0
        self.time = 1000.0
        self.secrets = Secrets(self.read, clock=lambda: self.time)

    def read(self) -> Any:
        self.reads += 1
        if isinstance(self.members, Exception):
            raise self.members
        return dict(self.members)


@pytest.fixture
def store() -> Store:
    return Store()


def test_nothing_is_read_before_it_is_needed(store: Store) -> None:
    assert store.reads == 0
    assert store.secrets.require("ANTHROPIC_API_KEY") == "key-1"
    assert store.secrets.get("REDIS_PASSWORD") == store.secrets.get("ABSENT") == store.secrets.get("ODD") == ""
    assert store.reads == 1


def test_it_is_read_again_when_it_is_old(store: Store) -> None:
    store.secrets.get("ANTHROPIC_API_KEY")
    store.members = {"ANTHROPIC_API_KEY": "key-2"}
    store.time += LIFETIME_SECONDS - 1
    assert store.secrets.get("ANTHROPIC_API_KEY") == "key-1"
    store.time += 1

    assert store.secrets.get("ANTHROPIC_API_KEY") == "key-2"


def test_an_empty_key_is_named(store: Store) -> None:
    with pytest.raises(SecretError, match="REDIS_PASSWORD is not set"):
        store.secrets.require("REDIS_PASSWORD")


def test_a_refused_key_is_read_again_once(store: Store) -> None:
    key = store.secrets.get("ANTHROPIC_API_KEY")

    assert store.secrets.after_refusal("ANTHROPIC_API_KEY", key) is None
    assert store.secrets.after_refusal("ANTHROPIC_API_KEY", key) is None
    assert store.reads == 2
    store.members = {"ANTHROPIC_API_KEY": "key-2"}
    store.time += REFETCH_SECONDS
    assert store.secrets.after_refusal("ANTHROPIC_API_KEY", key) == "key-2"
    assert store.secrets.after_refusal("ANTHROPIC_API_KEY", key) == "key-2"
    assert store.reads == 3


def test_a_rotated_key_is_found_right_after_the_first_read(store: Store) -> None:
    key = store.secrets.get("ANTHROPIC_API_KEY")
    store.members = {"ANTHROPIC_API_KEY": "key-2"}

    assert store.secrets.after_refusal("ANTHROPIC_API_KEY", key) == "key-2"


def test_the_last_values_stay_good(store: Store) -> None:
    store.secrets.get("ANTHROPIC_API_KEY")
    store.members = RuntimeError("s3cr3t")
    store.time += LIFETIME_SECONDS

    assert store.secrets.get("ANTHROPIC_API_KEY") == store.secrets.get("ANTHROPIC_API_KEY") == "key-1"
    assert store.reads == 2


def test_a_secret_that_cannot_be_read_names_the_key(store: Store) -> None:
    store.members = RuntimeError("s3cr3t")

    with pytest.raises(SecretError, match="ANTHROPIC_API_KEY cannot be read") as error:
        store.secrets.get("ANTHROPIC_API_KEY")
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize("text", ["s3cr3t", '["s3cr3t"]', ""])
def test_a_secret_that_is_no_object_is_not_repeated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Manager:
        def get_secret_value(self, SecretId: str) -> Any:  # noqa: N803  the API's own name
            return {"SecretString": text}

    monkeypatch.setattr(clients, "secretsmanager", Manager)

    with pytest.raises((ValueError, TypeError)) as error:
        read_secret("arn")
    assert "s3cr3t" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_failure_is_not_repeated_for_each_key(store: Store) -> None:
    store.members = RuntimeError("s3cr3t")
    for key in ("REDIS_PASSWORD", "ES_API_KEY", "ANTHROPIC_API_KEY"):
        with pytest.raises(SecretError, match=key):
            store.secrets.get(key)
    assert store.reads == 1

    store.time += 2
    store.members = {"ANTHROPIC_API_KEY": "key-1"}
    assert store.secrets.get("ANTHROPIC_API_KEY") == "key-1"


def test_a_refusal_is_logged_with_its_code(store: Store, log: io.StringIO) -> None:
    store.members = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "s3cr3t"}}, "GetSecretValue")

    with pytest.raises(SecretError):
        store.secrets.require("ANTHROPIC_API_KEY")

    line = json.loads(log.getvalue())
    assert (line["message"], line["aws_error"]) == ("The secret could not be read", "AccessDeniedException")
    assert "s3cr3t" not in log.getvalue()
