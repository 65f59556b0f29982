"""Keys from the secret: cached, rotated, and refused with the name of the key and never its value."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_http import aws_clients
from lambda_http.json_secret import (
    FAILURE_SECONDS,
    LIFETIME_SECONDS,
    REFETCH_SECONDS,
    JsonSecret,
    MalformedSecretError,
    SecretError,
    read_secret,
)


class Store:
    """Counts how often the secret is read; `members` is an exception when it cannot be."""

    def __init__(self) -> None:
        self.members: Any = {"A": "key-1", "EMPTY": "", "NUMBER": 5}
        self.reads = 0
        self.time = 1000.0
        self.failures: list[Exception] = []
        self.secret = JsonSecret(self.read, self.failures.append, clock=lambda: self.time)

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
    assert store.secret.require("A") == "key-1"
    assert store.secret.get("EMPTY") == store.secret.get("ABSENT") == ""
    assert store.reads == 1


def test_it_is_read_again_when_it_is_old(store: Store) -> None:
    store.secret.get("A")
    store.members = {"A": "key-2"}
    store.time += LIFETIME_SECONDS - 1
    assert store.secret.get("A") == "key-1"
    store.time += 1
    assert store.secret.get("A") == "key-2"


def test_an_empty_key_is_named(store: Store) -> None:
    with pytest.raises(SecretError, match="EMPTY is not set"):
        store.secret.require("EMPTY")


def test_a_refused_key_is_read_again_once(store: Store) -> None:
    key = store.secret.get("A")
    assert store.secret.after_refusal("A", key) is None
    assert store.secret.after_refusal("A", key) is None
    assert store.reads == 2
    store.members = {"A": "key-2"}
    store.time += REFETCH_SECONDS
    assert store.secret.after_refusal("A", key) == "key-2"
    assert store.secret.after_refusal("A", key) == "key-2"
    assert store.reads == 3


def test_a_rotated_key_is_found_right_after_the_first_read(store: Store) -> None:
    key = store.secret.get("A")
    store.members = {"A": "key-2"}
    assert store.secret.after_refusal("A", key) == "key-2"


def test_the_last_values_stay_good_while_the_secret_cannot_be_read(store: Store) -> None:
    store.secret.get("A")
    store.members = RuntimeError("s3cr3t")
    store.time += LIFETIME_SECONDS
    assert store.secret.get("A") == store.secret.get("A") == "key-1"
    assert (store.reads, store.failures) == (2, [store.members])


def test_a_failure_is_not_repeated_for_each_key(store: Store) -> None:
    store.members = RuntimeError("s3cr3t")
    for key in ("A", "B", "C"):
        with pytest.raises(SecretError, match=f"{key} cannot be read from Secrets Manager") as error:
            store.secret.get(key)
        assert error.value.may_pass
        assert "s3cr3t" not in str(error.value)
    assert store.reads == 1
    store.time += FAILURE_SECONDS
    store.members = {"A": "key-1"}
    assert store.secret.get("A") == "key-1"


@pytest.mark.parametrize("value", ["key\n", " key", "\tkey\r\n", "\u00a0key "])
def test_white_space_around_a_key_is_no_part_of_it(store: Store, value: str) -> None:
    store.members = {"A": value}
    assert store.secret.require_for_header("A") == "key"


@pytest.mark.parametrize("value", ["\u201ckey\u201d", "ke\ny", "k\u0000y", "ключ", "\x7f"])
def test_a_key_that_no_header_can_carry_is_named(store: Store, value: str) -> None:
    store.members = {"A": value}
    with pytest.raises(SecretError, match="A holds a character that no HTTP header can carry") as error:
        store.secret.require_for_header("A")
    assert value not in str(error.value)
    assert store.secret.get("A") == value.strip()


def test_a_key_that_is_no_text_is_named_and_the_others_go_on(store: Store) -> None:
    store.members = {"A": "key-1", "NUMBER": 5, "HALF": "\ud800"}
    with pytest.raises(SecretError, match="NUMBER is not a text in the secret"):
        store.secret.get("NUMBER")
    with pytest.raises(SecretError, match="HALF holds half of a surrogate pair"):
        store.secret.get("HALF")
    assert store.secret.get("A") == "key-1"


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    class Manager:
        def get_secret_value(self, SecretId: str) -> Any:  # noqa: N803  the API's own name
            assert SecretId == "name"
            return answer

    monkeypatch.setattr(aws_clients, "secretsmanager", Manager)


@pytest.mark.parametrize("text", ["s3cr3t", '["s3cr3t"]', "", '"s3cr3t"', "[" * 100_000, None])
def test_a_secret_that_is_no_json_object_says_so_and_is_not_repeated(
    text: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, {"SecretBinary": b"s3cr3t"} if text is None else {"SecretString": text})

    with pytest.raises(MalformedSecretError) as error:
        read_secret("name")
    assert str(error.value) == ""
    assert error.value.__cause__ is error.value.__context__ is None

    secret = JsonSecret(lambda: read_secret("name"), lambda _: None)
    with pytest.raises(SecretError, match="A cannot be had: the secret is not a JSON object of texts"):
        secret.get("A")


def test_a_byte_order_mark_before_the_secret_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, {"SecretString": '\ufeff{"A":"key"}'})
    assert read_secret("name") == {"A": "key"}
