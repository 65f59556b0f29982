from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat.chat_request import ChatRequest, chat_request, reset_request

from lambda_http.problem import Problem

anything: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2) | st.just({})
)
bodies = st.dictionaries(st.sampled_from(["user_id", "message", "session_id", "channel", "other"]), anything)


def test_a_request() -> None:
    assert chat_request({"user_id": "u1", "message": " hi \n"}) == ChatRequest("u1", "hi", None, "api")
    full = {"user_id": "ü-1", "message": "hi", "session_id": "abc_-", "channel": "web"}
    assert chat_request(full) == ChatRequest("ü-1", "hi", "abc_-", "web")
    assert chat_request({"user_id": "u", "message": "a", "session_id": None, "channel": None}).session_id is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"user_id": None}, "user_id is missing"),
        ({"user_id": 5}, "user_id must be a string"),
        ({"user_id": ""}, "visible"),
        ({"user_id": "a b"}, "visible"),
        ({"user_id": "a\u200b\x00"}, "visible"),
        ({"user_id": "\u202e\u200b"}, "visible"),
        ({"user_id": "\u200d"}, "visible"),
        ({"user_id": "\u3164"}, "visible"),
        ({"user_id": "a\u202eb"}, "visible"),
        ({"user_id": "\u0301"}, "visible"),
        ({"user_id": "x" * 129}, "128"),
        ({"message": None}, "message is missing"),
        ({"message": ["hi"]}, "message must be a string"),
        ({"message": " \n\t"}, "message is empty"),
        ({"message": "\u200b\x00"}, "message is empty"),
        ({"message": "\u200d\ufe0f"}, "message is empty"),
        ({"message": "x" * 2001}, "2000"),
        ({"session_id": 5}, "session_id"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": "a/b"}, "session_id"),
        ({"session_id": "x" * 129}, "session_id"),
        ({"channel": "fax"}, "web, mobile"),
        ({"channel": ["web"]}, "web, mobile"),
        ({"s3cr3t": 1}, "not known"),
    ],
)
def test_refusals_are_sentences(change: dict[str, Any], word: str) -> None:
    with pytest.raises(Problem, match=word) as refusal:
        chat_request({"user_id": "u1", "message": "hi", **change})
    assert refusal.value.status == 400
    assert refusal.value.detail.endswith(".")
    assert "s3cr3t" not in refusal.value.detail


@pytest.mark.parametrize(
    "user_id",
    [
        "रमेश",
        "ரமேஷ்",
        "রমেশ",
        "محمّد",
        "\u0d1a\u0d28\u0d4d\u200d",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "+91-98765",
        "\U0001f469\u200d\U0001f373",
    ],
)
def test_a_user_may_be_named_in_any_script(user_id: str) -> None:
    assert chat_request({"user_id": user_id, "message": "hi"}).user_id == user_id


@given(bodies)
def test_any_object_is_a_request_or_a_sentence(body: dict[str, Any]) -> None:
    try:
        asked = chat_request(body)
    except Problem as refusal:
        status = refusal.status
        assert status == 400
    else:
        assert 1 <= len(asked.user_id) <= 128
        assert 1 <= len(asked.message) <= 2000


def test_a_reset() -> None:
    assert reset_request({"user_id": "u1", "session_id": "s"}) == ("u1", "s")
    with pytest.raises(Problem, match="session_id is missing"):
        reset_request({"user_id": "u1"})
    with pytest.raises(Problem, match="not known"):
        reset_request({"user_id": "u1", "session_id": "s", "message": "x"})
