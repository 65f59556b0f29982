from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat.session import SessionIds

from lambda_http.json_secret import JsonSecret, SecretError
from tests.unit.shopbot_function.fakes import session_ids

users = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
IDS = session_ids()


@given(users, users)
def test_an_id_belongs_to_its_user_alone(user: str, other: str) -> None:
    session_id = IDS.new(user)

    assert IDS.belongs_to(session_id, user)
    assert IDS.belongs_to(session_id, other) == (user == other)
    assert len(session_id) == 43


@given(st.text(), users)
def test_no_other_text_belongs_to_anybody(text: str, user: str) -> None:
    assert not IDS.belongs_to(text, user)


def test_an_id_has_one_spelling() -> None:
    session_id = IDS.new("u1")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    assert sum(IDS.belongs_to(session_id[:-1] + character, "u1") for character in last) == 1
    assert not IDS.belongs_to(f"{session_id}=", "u1")
    assert IDS.new("u1") != session_id


def test_without_the_key_nobody_tells_whose_an_id_is_or_makes_one() -> None:
    session_id = IDS.new("+91-9876543210")
    raw = base64.urlsafe_b64decode(f"{session_id}=")
    nonce, digest = raw[:16], raw[16:]

    # What recovered the user of an id before it had a key: the digest over what the id and a guess say.
    for guess in (b"+91-9876543210", nonce + b"+91-9876543210", b"shopbot session\0" + nonce + b"+91-9876543210"):
        assert not hashlib.sha256(guess).digest().startswith(digest)
    assert not session_ids("another key").belongs_to(session_id, "+91-9876543210")
    assert not IDS.belongs_to(session_ids("another key").new("u1"), "u1")


def test_a_rotation_ends_no_conversation() -> None:
    before = session_ids("old").new("u1")

    after = session_ids("new", previous="old")

    assert after.belongs_to(before, "u1")
    assert not after.belongs_to(before, "u2")
    assert not session_ids("new", previous="older").belongs_to(before, "u1")


def test_an_environment_that_has_the_old_key_takes_the_ids_of_one_that_has_the_new() -> None:
    keys: list[dict[str, Any]] = [{"SESSION_KEY": "old"}, {"SESSION_KEY": "new"}]
    ids = SessionIds(JsonSecret(lambda: keys.pop(0), print), JsonSecret(dict, print))
    assert ids.belongs_to(session_ids("old").new("u1"), "u1")

    assert ids.belongs_to(session_ids("new").new("u1"), "u1")


def test_without_a_version_before_an_id_of_another_key_is_nobodys() -> None:
    def fail() -> Any:
        raise RuntimeError

    ids = SessionIds(JsonSecret(lambda: {"SESSION_KEY": "key"}, print), JsonSecret(fail, print))

    assert not ids.belongs_to(session_ids("another").new("u1"), "u1")
    assert ids.belongs_to(ids.new("u1"), "u1")


def test_without_a_key_the_key_is_named() -> None:
    with pytest.raises(SecretError, match="SESSION_KEY is not set"):
        session_ids("").new("u1")
