"""What is read from a customer's words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shopping_bot.search.phrases import Phrases, understand


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("चाय", ["चाय"]),
        ("मसाला चाय", ["मसाला", "चाय"]),
        ("चिप्स, नमकीन", ["चिप्स", "नमकीन"]),
        ("தேநீர் பொடி", ["தேநீர்", "பொடி"]),
        ("চা পাতা", ["চা", "পাতা"]),
        ("టీ పొడి", ["టీ", "పొడి"]),
        ("\u0634\u064e\u0627\u064a", ["\u0634\u064e\u0627\u064a"]),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]),
        ("\u0d28\u0d4d\u200d", ["\u0d28\u0d4d\u200d"]),
        ("cafe\u0301", ["cafe\u0301"]),
        ("kid's chips", ["kid's", "chips"]),
    ],
)
def test_a_word_is_letters_marks_digits_and_joiners(query: str, words: list[str]) -> None:
    assert understand(query).words == words


@pytest.mark.parametrize(
    ("query", "avoided"), [("chips without लहसुन", "लहसुन"), ("chips no வெங்காயம்", "வெங்காயம்"), ("দুধ free chips", "দুধ")]
)
def test_what_to_avoid_is_read_whole_in_any_script(query: str, avoided: str) -> None:
    assert understand(query).avoid_ingredients == [avoided]


@pytest.mark.parametrize(
    ("query", "least", "most"),
    [
        ("chips under 200", None, "200"),
        ("chips below rs. 99.50", None, "99.50"),
        ("chips less than ₹1,500", None, "1500"),
        ("chips upto 1.5k", None, "1500"),
        ("chips <= 40", None, "40"),
        ("200 rupees chips", None, "200"),
        ("chips for 20/- rs", None, "20"),
        ("not more than 50 rs biscuits", None, "50"),
        ("chips above 100", "100", None),
        ("chips more than INR 100", "100", None),
        ("chips between 100 and 200", "100", "200"),
        ("chips between 200 and 100", "100", "200"),
        ("chips 100-200 rupees", "100", "200"),
        ("chips over 50 under 80", "50", "80"),
        ("chips around 200", "150", "250"),
        ("chips 200", None, None),
        ("under 200 g chips", None, None),
        ("over 70% chocolate", None, None),
        ("chocolate under 1000 ml", None, None),
        ("20 g protein bar", None, None),
        ("spf 50 sunscreen", None, None),
        ("tell me about 2 chips", None, None),
        ("noodles within 5 minutes", None, None),
        ("chips with less than 4 ingredients", None, None),
        ("the understanding of 7 parts", None, None),
        ("chips under " + "9" * 40, None, None),
    ],
)
def test_prices(query: str, least: str | None, most: str | None) -> None:
    found = understand(query)
    assert found.price_min == (None if least is None else Decimal(least))
    assert found.price_max == (None if most is None else Decimal(most))


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("Vegan chips", ["vegan"]),
        ("plant-based milk", ["vegan"]),
        ("pure veg snacks", ["vegetarian"]),
        ("non-veg snacks", []),
        ("not vegan", []),
        ("jain food", ["jain"]),
        ("gluten free oats", ["gluten-free"]),
        ("no gluten", ["gluten-free"]),
        ("lactose-free milk", ["dairy-free"]),
        ("sugarfree sweets", ["sugar-free"]),
        ("soap without perfume or parabens", ["fragrance-free", "paraben-free"]),
        ("sulfate-free and cruelty free shampoo", ["sulphate-free", "cruelty-free"]),
        ("organic high-protein vegan dal", ["vegan", "organic", "high-protein"]),
    ],
)
def test_diets(query: str, terms: list[str]) -> None:
    assert understand(query).dietary_terms == terms


@pytest.mark.parametrize(
    ("query", "avoided", "words"),
    [
        ("chips no palm oil", ["palm oil"], ["chips"]),
        ("palm-oil-free chips", ["palm oil"], ["chips"]),
        ("no palm oil chips", ["palm oil"], ["chips"]),
        ("chips free of palm oil", ["palm oil"], ["chips"]),
        ("chips free from palm oil and sugar", ["palm oil", "sugar"], ["chips"]),
        ("no onion no garlic ketchup", ["onion", "garlic"], ["ketchup"]),
        ("no onion, no garlic ketchup", ["onion", "garlic"], ["ketchup"]),
        ("without onions, garlic and spicy chips", ["onion", "garlic"], ["spicy", "chips"]),
        ("noodles without onion or garlic", ["onion", "garlic"], ["noodles"]),
        ("no milk chocolate", ["milk"], ["chocolate"]),
        ("biscuits without milk powder", ["milk"], ["biscuits"]),
        ("chips without rice bran oil", ["rice bran oil"], ["chips"]),
        ("cookies with no added sugar", ["sugar"], ["cookies"]),
        ("no peanut butter", ["peanut butter"], []),
        ("nut allergy, show me chocolate", ["nut"], ["chocolate"]),
        ("i'm allergic to eggs", ["egg"], ["i'm"]),
        ("eggless noodles", ["egg"], ["noodles"]),
        ("chips without cardamom please", ["cardamom"], ["chips"]),
        ("chips no", [], ["chips"]),
        ("without", [], ["without"]),
        ("free chips", [], ["free", "chips"]),
        ("milk with no sugar under 100", ["sugar"], ["milk"]),
    ],
)
def test_what_to_avoid(query: str, avoided: list[str], words: list[str]) -> None:
    found = understand(query)
    assert found.avoid_ingredients == avoided
    assert [word for word in found.words if word != "i'm"] == [word for word in words if word != "i'm"]


def test_stock() -> None:
    assert understand("rajma that is in stock") == Phrases(words=["rajma"], in_stock_only=True)
    assert understand("chicken stock") == Phrases(words=["chicken", "stock"])


def test_everything_at_once() -> None:
    assert understand(
        "Please show me some VEGAN Tarangi chips, no palm oil, between ₹50 and ₹100, in stock!"
    ) == Phrases(
        words=["tarangi", "chips"],
        price_min=Decimal(50),
        price_max=Decimal(100),
        dietary_terms=["vegan"],
        avoid_ingredients=["palm oil"],
        in_stock_only=True,
    )


_WORDS = st.sampled_from(
    [
        *("no", "without", "free", "of", "from", "to", "under", "over", "between", "and", "or", "allergy"),
        *(",", ".", "-", "₹", "100", "1,000", "k", "g", "palm", "oil", "nut", "chips", "vegan"),
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=30).map(" ".join)))
def test_any_text_is_read(query: str) -> None:
    found = understand(query)
    assert all(word and word == word.casefold() for word in found.words)
    bounds: list[Any] = [bound for bound in (found.price_min, found.price_max) if bound is not None]
    assert all(bound >= 0 for bound in bounds)
    assert bounds == sorted(bounds)
    assert len(set(found.avoid_ingredients)) == len(found.avoid_ingredients)
