from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat import history
from shopping_bot.chat.answer import Answer
from shopping_bot.chat.history import REMEMBERED_ANSWERS, WHOLE_ANSWERS, answer_entry, customer_entry

from tests.unit.shopbot_function.fakes import product, text, thinking, tool_use


def turn(number: int) -> list[dict[str, Any]]:
    asked = customer_entry(f"message {number}")
    call = tool_use("search_products", {"query": f"q{number}"}, f"toolu_{number}")
    result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "{}"}
    thought = [thinking(f"s{number}"), {"type": "redacted_thinking", "data": "d="}]
    messages = [{"role": "assistant", "content": [*thought, call]}, {"role": "user", "content": [result]}]
    content = {"message": f"answer {number}"}
    products = {f"S{number}": product(f"S{number}")}
    return [asked, answer_entry(asked, Answer("casual", content, f"answer {number}", messages, products))]


def test_the_first_message() -> None:
    assert history.past([], "hi").messages == [{"role": "user", "content": [text("hi")]}]


def test_a_follow_up_sees_what_was_searched() -> None:
    told = history.past(turn(1), "cheaper ones").messages

    assert [message["role"] for message in told] == ["user", "assistant", "user", "assistant", "user"]
    assert told[0]["content"] == [text("message 1")]
    assert told[1]["content"] == [tool_use("search_products", {"query": "q1"}, "toolu_1")]
    assert told[3]["content"] == [text("answer 1")]
    assert told[4]["content"] == [text("cheaper ones")]


def test_older_turns_are_text_and_the_oldest_are_gone() -> None:
    entries = [entry for number in range(20) for entry in turn(number)]

    told = history.past(entries, "next").messages

    calls = [block for message in told for block in message["content"] if block["type"] == "tool_use"]
    asked = [block["text"] for message in told for block in message["content"] if block["type"] == "text"]
    assert len(calls) == WHOLE_ANSWERS
    assert len([words for words in asked if words.startswith("message")]) == REMEMBERED_ANSWERS
    assert "message 9" not in asked
    assert "message 10" in asked


def test_a_message_without_an_answer_is_told_with_the_next_one() -> None:
    entries = [*turn(1), customer_entry("and vegan")]

    assert history.past(entries, "next").messages[-1]["content"] == [text("and vegan"), text("next")]
    assert history.past(entries, "and vegan").messages[-1]["content"] == [text("and vegan")]


def test_products_of_all_turns_are_known() -> None:
    assert set(history.past([*turn(1), *turn(2)], "next").products) == {"S1", "S2"}


def test_the_customer_sees_answers_after_their_messages() -> None:
    first, answer = turn(1)
    second = customer_entry("impatient")

    shown = history.turns([first, second, answer])

    assert [(each["role"], each["content"]) for each in shown] == [
        ("user", "message 1"),
        ("assistant", {"response_type": "casual", "content": {"message": "answer 1"}}),
        ("user", "impatient"),
    ]


def test_a_message_that_was_sent_again_is_shown_once() -> None:
    first, answer = turn(1)
    again = customer_entry("message 1")
    answer["to"] = again["id"]

    assert [each["role"] for each in history.turns([first, again, answer])] == ["user", "assistant"]


@given(st.lists(st.sampled_from(["turn", "unanswered", "orphan"]), max_size=30), st.integers(0, 40))
def test_whatever_is_left_of_the_past_is_a_valid_conversation(kinds: list[str], cut: int) -> None:
    entries: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds):
        asked, answer = turn(number)
        entries += {"turn": [asked, answer], "unanswered": [asked], "orphan": [answer]}[kind]

    told = history.past(entries[cut:], "now").messages

    roles = [message["role"] for message in told]
    assert roles[0] == roles[-1] == "user"
    assert all(one != other for one, other in pairwise(roles))
    for message, following in pairwise(told):
        calls = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        results = [block["tool_use_id"] for block in following["content"] if block["type"] == "tool_result"]
        assert calls == results
