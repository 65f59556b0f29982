"""No message upsets the model, however long or strange."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.backing_services.anthropic.model import answer
from emulator.backing_services.anthropic.reply import Text
from tests.unit.emulator.backing_services.anthropic.shop import TOOLS, Conversation

_TRADE = """
vegan chips under 100 no without palm oil free and or , the second one cheaper in stock? is it ₹ 50
- 20 what about more like between from to by Tarangi snacks something 1.5k 500 g compare first last
#2 any top 3 drinks & not
"""
WORDS = st.sampled_from(_TRADE.split())


@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), min_size=1, max_size=4))
def test_words_of_the_trade_in_any_order(messages: list[str]) -> None:
    conversation = Conversation()
    for message in messages:
        conversation.say(message or "-")
        assert conversation.calls or conversation.text
        assert len(conversation.calls) <= 8
        assert all(call.input.get("query", "x") for call in conversation.calls)


@given(st.text(min_size=1, max_size=60))
def test_any_text(text: str) -> None:
    assert Conversation().say(text).text is not None


@pytest.mark.parametrize(
    "text",
    [
        "a " * 50_000,
        "no " * 30_000,
        "100 " * 30_000,
        "1" * 100_000,
        "- " * 50_000,
        "no a, a" + ", a" * 30_000,
        "<a" * 40_000,
    ],
)
def test_a_long_message_takes_no_long_time(text: str) -> None:
    start = time.perf_counter()
    assert answer({"tools": TOOLS, "messages": [{"role": "user", "content": text}]})
    assert time.perf_counter() - start < 2


def test_a_search_that_was_never_answered_is_no_obstacle() -> None:
    (reply,) = answer({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]})
    assert isinstance(reply, Text)
