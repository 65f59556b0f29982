from __future__ import annotations

import time

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
        ("90 g packs, 3 left, and they're crisp", True),
        ("₹85, 3 left", True),
        ("Only ₹1k", False),
        ("49 to 85 rupees", False),
        ("₹85-99", False),
        ("\uff12\uff13\uff14 rupees", False),
    ],
)
def test_only_known_amounts_of_money(words: str, is_true: bool) -> None:
    assert grounding.quotes_only(words, [product("A", "85.00")], ["chips under 100"]) is is_true


@pytest.mark.parametrize(
    ("words", "is_true"),
    [
        ("यह चिप्स 49 रुपये का है।", False),
        ("यह चिप्स 85 रुपये का है।", True),
        ("49 रुपए", False),
        ("४९ रु.", False),
        ("८५ रु.", True),
        ("रु. 49", False),
        ("৪৯ টাকা", False),
        ("௪௯ ரூபாய்", False),
        ("౪౯ రూపాయలు", False),
        ("൪൯ രൂപ", False),
        ("೪೯ ರೂಪಾಯಿ", False),
        ("૪૯ રૂપિયા", False),
        ("੪੯ ਰੁਪਏ", False),
        ("٤٩ روپے", False),
    ],
)
def test_money_is_known_in_every_script(words: str, is_true: bool) -> None:
    assert grounding.quotes_only(words, [product("A", "85.00")], []) is is_true


@pytest.mark.parametrize("words", ["$85", "85 $", "€85", "85 dollars", "USD 85", "85 paise", "85 \u20bf", "85 डॉलर"])
def test_the_shops_prices_are_rupees(words: str) -> None:
    assert not grounding.quotes_only(words, [product("A", "85.00")], [])
    assert grounding.quotes_only(words, [], ["have you anything for 85 dollars?"])


@pytest.mark.parametrize(
    "words", ["five rupees", "Rs. fifty", "a hundred rupees", "two lakh rupees", "पाँच रुपये", "एक सौ रुपये", "ten dollars"]
)
def test_an_amount_in_words_must_be_the_customers(words: str) -> None:
    assert not grounding.quotes_only(words, [product("A", "5.00")], ["chips"])
    assert grounding.quotes_only(words, [], [f"chips under {words}"])


@pytest.mark.parametrize("words", ["All prices are in rupees.", "Which rupee notes do you take?", "20 per cent off"])
def test_money_without_an_amount_says_nothing_wrong(words: str) -> None:
    assert grounding.quotes_only(words, [], [])


@pytest.mark.parametrize("part", ["1", "1,", "1 ", "₹", "₹ 1 - ", "1 k ", "1.", "five and ", "\u0301", "/-", "\u093e"])
def test_the_time_of_the_check_grows_with_the_text_and_no_faster(part: str) -> None:
    def seconds(repetitions: int) -> float:
        words = f"{part * repetitions} rupees"
        started = time.process_time()
        grounding.quotes_only(words, [product("A")], [words])
        return time.process_time() - started

    shorter = min(seconds(2_000) for _ in range(3))
    assert seconds(16_000) < 8 * 4 * shorter + 0.05


@given(st.text())
def test_any_text_can_be_judged_and_tidied(words: str) -> None:
    grounding.quotes_only(words, [product("A"), {"sku": "B", "price": None}], [words])
    tidied = grounding.tidy(words)
    assert len(tidied) <= grounding.MAXIMUM_CHARACTERS
    tidied.encode()


@pytest.mark.parametrize(
    "words",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 packs",  # a family
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
        "\u0930\u200d\u092f",  # Marathi
        "\u0d28\u0d4d\u200d",  # Malayalam
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
        "\u05e9\u05dc\u200f!",
        "चिप्स और नमकीन",
        "a\nb",
    ],
)
def test_what_has_a_meaning_is_kept(words: str) -> None:
    assert grounding.tidy(words) == words


@pytest.mark.parametrize(
    ("words", "tidied"),
    [
        ("a\x00\x1b[31mb", "a[31mb"),
        ("a\u202eb\u2066c", "abc"),
        ("a\u200b\ufeff", "a"),
        ("100\u00a0g\u2028x", "100 g x"),
    ],
)
def test_what_has_none_is_removed(words: str, tidied: str) -> None:
    assert grounding.tidy(words) == tidied


def test_the_mark_of_the_support() -> None:
    assert grounding.split_support("[support] A person will look.") == (True, "A person will look.")
    assert grounding.split_support("[Support]") == (True, "")
    assert grounding.split_support("I support you.") == (False, "I support you.")
