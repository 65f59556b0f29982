from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat.session import belongs_to, new_session_id

users = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)


@given(users, users)
def test_an_id_belongs_to_its_user_alone(user: str, other: str) -> None:
    session_id = new_session_id(user)

    assert belongs_to(session_id, user)
    assert belongs_to(session_id, other) == (user == other)
    assert len(session_id) == 43


@given(st.text(), users)
def test_no_other_text_belongs_to_anybody(text: str, user: str) -> None:
    assert not belongs_to(text, user)


def test_an_id_has_one_spelling() -> None:
    session_id = new_session_id("u1")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    assert sum(belongs_to(session_id[:-1] + character, "u1") for character in last) == 1
    assert not belongs_to(f"{session_id}=", "u1")
    assert new_session_id("u1") != session_id
