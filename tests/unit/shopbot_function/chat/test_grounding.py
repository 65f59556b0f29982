from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat import grounding

from tests.unit.shopbot_function.fakes import product


@pytest.mark.parametrize(
    ("words", "is_true"),
    [
        ("Crisp and light.", True),
        ("Only ₹85, or Rs. 85.00, or 85 rupees.", True),
        ("All are under ₹100.", True),
        ("Only ₹5!", False),
        ("Just Rs 1,299 today", False),
        ("It costs 49 rupees", False),
        ("49/- only", False),
        ("INR 12", False),
        ("90 g packs, 3 left", True),
    ],
)
def test_only_known_amounts_of_money(words: str, is_true: bool) -> None:
    assert grounding.quotes_only(words, [product("A", "85.00")], ["chips under 100"]) is is_true


@given(st.text())
def test_any_text_can_be_judged_and_tidied(words: str) -> None:
    grounding.quotes_only(words, [product("A"), {"sku": "B", "price": None}], [words])
    tidied = grounding.tidy(words)
    assert len(tidied) <= grounding.MAXIMUM_CHARACTERS
    tidied.encode()


def test_the_mark_of_the_support() -> None:
    assert grounding.split_support("[support] A person will look.") == (True, "A person will look.")
    assert grounding.split_support("[Support]") == (True, "")
    assert grounding.split_support("I support you.") == (False, "I support you.")
