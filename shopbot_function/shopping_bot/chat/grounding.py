"""What Claude says in its own words, held to what the shop knows: no amount of money but the shop's or the customer's.

It reads digits of every script, the names of money in the languages of the shop's customers, and numbers in words. It
takes time in proportion to the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from lambda_http.text import JOINERS, is_in_word, readable

MAXIMUM_CHARACTERS = 2000
_SUPPORT_MARK = "[support]"


def _folded(text: str) -> str:
    """Return `text` in one spelling: NFKC composes letters and marks in one way, and makes wide digits plain."""
    return unicodedata.normalize("NFKC", text).casefold()


# As they begin: several of these languages decline them.
_RUPEES = tuple(
    map(
        _folded,
        (
            *("rupee", "rupay", "rupiya", "bucks", "₹", "/-"),
            *("रुपय", "रुपए", "रुपै", "रूपय", "रूपए", "টাকা", "রুপি", "રૂપિય", "ਰੁਪ", "ଟଙ୍କା"),
            *("ரூபா", "రూపాయ", "ರೂಪಾಯ", "രൂപ", "روپ"),
        ),
    )
)
_RUPEES_IN_SHORT = {"rs", "inr", "रु", "रू", "রু", "રૂ", "રુ", "ரூ", "రూ", "ರೂ", "രൂ", "ਰੁ", "ਰੂ"}
_OTHER_MONEY = frozenset(
    map(
        _folded,
        (
            *("dollar", "dollars", "usd", "euro", "euros", "eur", "pound", "pounds", "gbp", "quid", "cent", "cents"),
            *("pence", "yen", "jpy", "yuan", "cny", "dirham", "dirhams", "aed", "dinar", "riyal", "taka", "bdt"),
            *("paisa", "paise", "डॉलर", "डालर", "यूरो", "पाउंड", "पैसे", "पैसा", "ডলার", "டாலர்", "డాలర్", "ಡಾಲರ್"),
            *("ഡോളർ", "ڈالر"),
        ),
    )
)
_NUMBERS = frozenset(
    map(
        _folded,
        (
            *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
            *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty"),
            *("forty", "fifty", "sixty", "seventy", "eighty", "ninety", "dozen", "half", "zero", "few"),
            *("एक", "दो", "तीन", "चार", "पाँच", "पांच", "छह", "छः", "सात", "आठ", "नौ", "दस", "बारह", "पंद्रह", "बीस"),
            *("पच्चीस", "तीस", "चालीस", "पचास", "साठ", "सत्तर", "अस्सी", "नब्बे", "आधा", "डेढ़", "ढाई"),
            *("ek", "paanch", "panch", "chaar", "saat", "aath", "nau", "bees", "pachas"),
        ),
    )
)
_TIMES = {
    **dict.fromkeys(map(_folded, ("hundred", "सौ", "sau")), 100),
    **dict.fromkeys(map(_folded, ("k", "thousand", "हज़ार", "हजार", "hazaar", "hazar")), 1000),
    **dict.fromkeys(map(_folded, ("lakh", "lakhs", "लाख")), 100_000),
    **dict.fromkeys(map(_folded, ("crore", "crores", "करोड़")), 10_000_000),
}
# 1,299.50 and 1,00,000. Possessive, so that a text of digits takes no more time than another.
_NUMBER = re.compile(r"([0-9]++(?:,[0-9]++)*+(?:\.[0-9]++)?+)")
_TO = {"-", "\u2013", "\u2014", "to", "से"}
_AND = {"and", "or", "और", "या"}


def tidy(text: str) -> str:
    """Return the readable part of `text`, at most MAXIMUM_CHARACTERS long."""
    return readable(text[: 2 * MAXIMUM_CHARACTERS]).strip()[:MAXIMUM_CHARACTERS]


def split_support(text: str) -> tuple[bool, str]:
    """Return whether `text` is marked as a matter for the support, and the text without the mark."""
    if text.lower().startswith(_SUPPORT_MARK):
        return True, text[len(_SUPPORT_MARK) :].strip()
    return False, text


def quotes_only(text: str, products: Iterable[Mapping[str, Any]], customer_texts: Iterable[str]) -> bool:
    """Tell whether every amount of money in `text` is a price of `products` or a number that the customer wrote.

    Prices are rupees, so an amount of other money must be the customer's, and so must one in words.
    """
    tokens = _tokens(text)
    money = [index for index, token in enumerate(tokens) if _is_money(token)]
    if not money:
        return True
    said = {token for customer_text in customer_texts for token in _tokens(customer_text)}
    numbers = {value for token in said if (value := _value(token)) is not None}
    # A customer's "1.5k" may come back as 1500.
    numbers |= {value * times for value in numbers for word, times in _TIMES.items() if word in said}
    prices = {Decimal(str(product["price"])) for product in products if product.get("price") is not None}
    for index in money:
        allowed = numbers | prices if _is_rupees(tokens[index]) else numbers
        for amount in _amounts(tokens, index):
            if amount not in (said if isinstance(amount, str) else allowed):
                return False
    return True


def _amounts(tokens: Sequence[str], index: int) -> list[Decimal | str]:
    """Return the amounts of the money at `index`: numbers, or words that say one."""
    before, after = _amounts_before(tokens, index - 1), _amounts_after(tokens, index + 1)
    # "₹49" and "Rs. 49" stand before their amount, "49 rupees" and "49/-" behind it.
    stands_before = len(tokens[index]) <= 3 and tokens[index] != "/-"
    return (after or before) if stands_before else (before or after)


def _amounts_before(tokens: Sequence[str], index: int) -> list[Decimal | str]:
    """Return the amounts that end at `index`: "49", "49 to 99", "five hundred"."""
    found: list[Decimal | str] = []
    while index >= 0:
        times = _TIMES.get(tokens[index])
        number = index - 1 if times and index else index
        value = _value(tokens[number])
        if value is not None:
            found.append(value * (times or 1))
        elif tokens[number] in _NUMBERS:
            found.append(tokens[number])
        elif times:
            number = index
            found.append(tokens[index])
        else:
            break
        if number < 2 or tokens[number - 1] not in _TO | _AND:
            break
        index = number - 2
    return found


def _amounts_after(tokens: Sequence[str], index: int) -> list[Decimal | str]:
    """Return the amounts that begin at `index`: "49", "49-99", "five hundred"."""
    found: list[Decimal | str] = []
    while index < len(tokens):
        if tokens[index] == "." and not found:
            index += 1
            continue
        value = _value(tokens[index])
        if value is None and tokens[index] not in _NUMBERS:
            break
        times = _TIMES.get(tokens[index + 1], 1) if index + 1 < len(tokens) else 1
        found.append(tokens[index] if value is None else value * times)
        index += 2 if times > 1 else 1
        if index >= len(tokens) or tokens[index] not in _TO:
            break
        index += 1
    return found


def _is_money(token: str) -> bool:
    return _is_rupees(token) or token in _OTHER_MONEY or unicodedata.category(token[0]) == "Sc"


def _is_rupees(token: str) -> bool:
    return token in _RUPEES_IN_SHORT or token.startswith(_RUPEES)


def _value(token: str) -> Decimal | None:
    return Decimal(token.replace(",", "")) if token[0] in "0123456789" else None


def _tokens(text: str) -> list[str]:
    """Return numbers in ASCII digits, words in one spelling, and each other sign by itself, without the spaces."""
    plain = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character for character in _folded(text)
    )
    tokens: list[str] = []
    for index, part in enumerate(_NUMBER.split(plain)):
        if index % 2:
            tokens.append(part)
            continue
        for is_word, run in groupby(part, is_in_word):
            characters = "".join(run)
            if is_word:
                tokens.append(characters.strip(JOINERS) or " ")
            elif characters.startswith("/-"):
                tokens += ["/-", *characters[2:]]
            else:
                tokens += characters
    return [token for token in tokens if not token.isspace()]
