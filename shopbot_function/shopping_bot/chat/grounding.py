"""What Claude says in its own words, held to what the shop knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

MAXIMUM_CHARACTERS = 2000
_SUPPORT_MARK = "[support]"

_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_MONEY = re.compile(rf"(?:₹|\brs\.?|\binr)\s*{_NUMBER}|{_NUMBER}\s*(?:₹|/-|rs\b|inr\b|rupees?\b)", re.IGNORECASE)
_ANY_NUMBER = re.compile(_NUMBER)


def tidy(text: str) -> str:
    """Return `text` without control characters, at most MAXIMUM_CHARACTERS long."""
    kept = "".join(character for character in text if character == "\n" or character.isprintable())
    return kept.strip()[:MAXIMUM_CHARACTERS]


def split_support(text: str) -> tuple[bool, str]:
    """Return whether `text` is marked as a matter for the support, and the text without the mark."""
    if text.lower().startswith(_SUPPORT_MARK):
        return True, text[len(_SUPPORT_MARK) :].strip()
    return False, text


def quotes_only(text: str, products: Iterable[Mapping[str, Any]], customer_texts: Iterable[str]) -> bool:
    """Tell whether every amount of money in `text` is a price of `products` or a number that the customer wrote."""
    allowed = {_amount(str(product["price"])) for product in products if product.get("price") is not None}
    for said in customer_texts:
        allowed |= {_amount(digits) for digits in _ANY_NUMBER.findall(said)}
    return all(_amount(before or after) in allowed for before, after in _MONEY.findall(text))


def _amount(digits: str) -> Decimal:
    return Decimal(digits.replace(",", "") or "0")
