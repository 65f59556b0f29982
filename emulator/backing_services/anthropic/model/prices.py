"""Limits of price in a customer's words, in rupees."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_CURRENCY: Final = r"(?:₹|rs\.?|inr|rupees?|bucks)"
_WORDS: Final = {"fifty": 50, "a hundred": 100, "hundred": 100, "two hundred": 200, "three hundred": 300}
_WORDS_LARGE: Final = {"five hundred": 500, "a thousand": 1000, "thousand": 1000}
_NUMBER_WORDS: Final = {**_WORDS, **_WORDS_LARGE}
_NAMES: Final = "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
# Begins where a number begins and takes all of it, so that no part of it is read as another, and in linear time.
_DIGITS: Final = r"(?<![\d.,])\d[\d,]{0,11}+(?!\d)"
# A number with a unit behind it is a size ("under 500 g"), not a price.
_NOT_A_SIZE: Final = (
    r"(?!\s*(?:%|(?:g|gm|gms|grams?|kg|kgs|ml|l|litres?|liters?|packs?|pcs|pieces|bags|kcal|calories)\b))"
)
_AMOUNT: Final = rf"{_CURRENCY}?\s*({_DIGITS}(?:\.\d++)?+(?:k\b)?|{_NAMES}){_NOT_A_SIZE}\s*(?:{_CURRENCY}(?![a-z])|/-)?"
_MAXIMUM: Final = (
    r"under|below|less than|lower than|cheaper than|up ?to|at most|max(?:imum)?(?: of)?|within"
    r"|not (?:more|over|above)(?: than)?|no more than|budget(?: is| of|:)?|<=?"
)
_MINIMUM: Final = r"over|above|more than|at least|min(?:imum)?(?: of)?|starting (?:at|from)|from|upwards of|>=?"

_BETWEEN: Final = re.compile(
    rf"(?:(?:priced )?(?:between|from)\s+{_AMOUNT}\s*(?:and|to|[-\u2013])\s*{_AMOUNT})"
    rf"|(?:{_CURRENCY}\s*({_DIGITS})\s*(?:[-\u2013]|to)\s*{_CURRENCY}?\s*({_DIGITS}))"
    rf"|(?:({_DIGITS})\s*(?:[-\u2013]|to)\s*({_DIGITS})\s*{_CURRENCY})"
)
_AT_MOST: Final = re.compile(rf"(?:\b(?:{_MAXIMUM}|for)\s*{_AMOUNT})|(?:{_AMOUNT}\s*or (?:less|under|below|cheaper))")
_AT_LEAST: Final = re.compile(rf"(?:\b(?:{_MINIMUM})\s*{_AMOUNT})|(?:{_AMOUNT}\s*(?:or more|and above|and up))")
_ABOUT: Final = re.compile(rf"\b(?:around|about|approximately|roughly|near)\s*{_AMOUNT}|~\s*{_AMOUNT}")
_ABOUT_MARGIN: Final = Decimal("0.25")

Limits = tuple[Decimal | None, Decimal | None]


def price_limits(text: str) -> tuple[Limits, str]:
    """Return the least and the greatest price in `text` (in lower case), and the text without them."""
    found = _BETWEEN.search(text)
    if found:
        low, high = sorted(_amounts(found))
        return (low, high), _without(text, found)
    found = _ABOUT.search(text)
    if found:
        (amount,) = _amounts(found)
        margin = (amount * _ABOUT_MARGIN).quantize(Decimal(1))
        return (amount - margin, amount + margin), _without(text, found)
    minimum = maximum = None
    found = _AT_MOST.search(text)
    if found:
        (maximum,) = _amounts(found)
        text = _without(text, found)
    found = _AT_LEAST.search(text)
    if found:
        (minimum,) = _amounts(found)
        text = _without(text, found)
    if minimum is not None and maximum is not None and minimum > maximum:
        minimum, maximum = maximum, minimum
    return (minimum, maximum), text


def _amounts(found: re.Match[str]) -> list[Decimal]:
    return [_amount(group) for group in found.groups() if group]


def _amount(text: str) -> Decimal:
    if text in _NUMBER_WORDS:
        return Decimal(_NUMBER_WORDS[text])
    digits = text.replace(",", "")
    return Decimal(digits[:-1]) * 1000 if digits.endswith("k") else Decimal(digits)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
