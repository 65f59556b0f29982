"""What a customer's own words say beside the product: a price, a diet, what to avoid, that it must be in stock.

Only phrases with one meaning are taken; every other word stays for the full-text search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lambda_http.text import JOINERS, is_in_word, is_visible
from shopping_bot.search import ingredient_names

# A quarter up and down is what "around" means here.
AROUND = Decimal("0.25")

_RUPEES = r"(?:₹|(?<![a-z])(?:rs|inr|rupees?|bucks)\b\.?)"
_NOT_MONEY = (
    r"\s*(?:%|(?:g|gms?|grams?|kgs?|ml|l|lit(?:er|re)s?|bags?|packs?|pieces?|pcs|k?cal|calories|minutes?|hours?|days?|"
    r"weeks?|months?|years?|stars?|ingredients?)\b)"
)


def _amount(name: str) -> str:
    # Possessive: 200 g must not be read as 20.
    number = rf"(?P<{name}>\d[\d,]*+(?:\.\d++)?+)(?P<{name}_thousands>k\b)?+"
    return rf"(?:{_RUPEES}\s*)?{number}(?!{_NOT_MONEY})(?:\s*/-|\s*{_RUPEES})?"


_FROM_TO = re.compile(rf"\b(?:between|from)\s+{_amount('least')}\s*(?:and|to|-)\s*{_amount('most')}")
_RANGE = re.compile(rf"{_amount('least')}\s*(?:-|to)\s*{_amount('most')}")
_AT_MOST = re.compile(
    r"(?:<=?|≤|\b(?:under|below|within|up ?to|at most|(?:less|lesser|cheaper|not more|no more) than|"
    rf"max(?:imum)?(?: of)?|budget(?: of| is)?))\s*{_amount('most')}"
)
_AT_LEAST = re.compile(
    r"(?:>=?|≥|\b(?:over|above|at least|(?:more|costlier|not less) than|min(?:imum)?(?: of)?|starting (?:at|from)))\s*"
    + _amount("least")
)
_NEAR = re.compile(rf"\b(?:around|approximately)\s+{_amount('near')}")
_ALONE = re.compile(_amount("most"))
_MONEY = re.compile(rf"{_RUPEES}|/-")

_IN_STOCK = re.compile(r"\b(?:that(?: is| are|'s) )?(?:in stock|available(?: now| today)?)\b")
# A diet that is denied is no wish for it.
_DENIED = re.compile(r"\b(?:non|not)[ -]?(?:a )?(?:veg(?:an|etarian)?|jain|organic)\b")
_DIETS = tuple(
    (re.compile(rf"\b(?:{words})\b"), term)
    for words, term in (
        (r"vegan|plant[ -]based", "vegan"),
        (r"vegetarian|vegitarian|(?:pure[ -])?veg", "vegetarian"),
        (r"jain(?:[ -]friendly)?", "jain"),
        (r"organic", "organic"),
        (r"high[ -]protein|protein[ -]rich|(?:high|rich) in protein", "high-protein"),
        (r"sugar[ -]?free|sugarless", "sugar-free"),
        (r"unscented", "fragrance-free"),
    )
)
_WITHOUT = {"no", "non", "without", "avoid", "avoiding", "exclude", "excluding", "minus", "zero"}
_WITHOUT_PAIRS = {("free", "of"), ("free", "from"), ("allergic", "to"), ("not", "containing"), ("allergy", "to")}
_AFTERWARDS = {"free", "allergy", "allergies"}
_FILLERS = {"added", "any", "artificial", "the", "a", "an", "of"}
_ENDS = {
    *(",", ";", ".", "and", "or", "nor", "no", "not", "without", "for", "in", "under", "with", "from", "by", "that"),
    *("but", "please", "to", "is", "are", "which", "at", "on", "free"),
}
# What a name of two words ends with: palm oil, onion powder.
_HEADS = {
    *("oil", "milk", "butter", "sugar", "flour", "powder", "extract", "solid", "syrup", "salt", "protein", "nut"),
    *("seed", "acid", "ghee", "wax", "starch", "lecithin", "water"),
}
_NOISE = {
    *(
        "a",
        "all",
        "am",
        "an",
        "and",
        "any",
        "anything",
        "are",
        "as",
        "at",
        "be",
        "best",
        "but",
        "buy",
        "by",
        "can",
        "cheap",
    ),
    *("cheaper", "cost", "costing", "could", "do", "find", "for", "from", "get", "give", "good", "had", "has", "have"),
    *("hi", "hello", "i", "if", "in", "into", "is", "it", "its", "like", "looking", "make", "made", "me", "my", "need"),
    *(
        "nice",
        "no",
        "not",
        "of",
        "on",
        "one",
        "only",
        "or",
        "order",
        "our",
        "per",
        "please",
        "price",
        "priced",
        "product",
    ),
    *("products", "range", "recommend", "rs", "rupee", "rupees", "s", "search", "shop", "show", "some", "something"),
    *("suggest", "such", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "u"),
    *("under", "us", "want", "was", "we", "what", "which", "who", "will", "with", "would", "you", "your", "zero"),
}
_PAUSES = {",", ";", "."}
# spf50, 80g: the catalogue has a space there.
_GLUED = re.compile(r"(?<=[a-z]{2})(?=\d)|(?<=\d)(?=(?:kg|g|ml|l)\b)")


@dataclass
class Phrases:
    """What was understood. `words` are the words that are left, in lower case; the lists keep their order."""

    words: list[str] = field(default_factory=list)
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    dietary_terms: list[str] = field(default_factory=list)
    avoid_ingredients: list[str] = field(default_factory=list)
    in_stock_only: bool = False


def understand(query: str) -> Phrases:
    """Return what the customer's `query` says. Whatever is not understood stays a word."""
    found = Phrases()
    text = query.casefold().replace("’", "'").replace("–", "-").replace("—", "-")  # noqa: RUF001 (what keyboards send)
    text = _prices(text, found)
    text, in_stock = _IN_STOCK.subn(" ", text)
    found.in_stock_only = bool(in_stock)
    text = _DENIED.sub(" ", text)
    for pattern, term in _DIETS:
        text, times = pattern.subn(" ", text)
        if times:
            found.dietary_terms.append(term)
    _scan(_tokens(_GLUED.sub(" ", text.replace("-", " "))), found)
    return found


def _tokens(text: str) -> list[str]:
    """Return the words of `text`, which an apostrophe does not end, and the pauses between them."""
    spaced = (
        character if is_in_word(character) or character == "'" else f" {character} " if character in _PAUSES else " "
        for character in text
    )
    tokens = (token.strip("'").lstrip(JOINERS) for token in "".join(spaced).split())
    return [token for token in tokens if token in _PAUSES or is_visible(token)]


def _prices(text: str, found: Phrases) -> str:
    """Read the first phrase of each kind into `found` and return the text without them."""
    for pattern in (_FROM_TO, _RANGE, _AT_MOST, _AT_LEAST, _NEAR, _ALONE):
        match = pattern.search(text)
        # Two numbers, or one, mean money only with its sign.
        if match is None or (pattern in {_RANGE, _ALONE} and not _MONEY.search(match[0])):
            continue
        named = match.groupdict()
        least, most, near = (_rupees(named, name) for name in ("least", "most", "near"))
        if near is not None:
            least, most = near * (1 - AROUND), near * (1 + AROUND)
        if least is not None and found.price_min is None:
            found.price_min = least
        if most is not None and found.price_max is None:
            found.price_max = most
        text = f"{text[: match.start()]} , {text[match.end() :]}"
    if found.price_min is not None and found.price_max is not None and found.price_min > found.price_max:
        found.price_min, found.price_max = found.price_max, found.price_min
    return text


def _rupees(named: dict[str, str | None], name: str) -> Decimal | None:
    digits = (named.get(name) or "").replace(",", "")
    # More digits than any price has would only overflow further on.
    if not digits or len(digits) > 12:
        return None
    return Decimal(digits) * (1000 if named.get(f"{name}_thousands") else 1)


def _scan(tokens: Sequence[str], found: Phrases) -> None:
    """Sort the rest into what to avoid and the words of the search."""
    position = 0
    while position < len(tokens):
        pair = (tokens[position], tokens[position + 1] if position + 1 < len(tokens) else "")
        before_free = _ends_in_free(tokens, position)
        if pair in _WITHOUT_PAIRS:
            position = _avoided(tokens, position + 2, found)
        elif pair[0] in _WITHOUT and pair[1]:
            position = _avoided(tokens, position + 1, found)
        elif before_free:
            _avoid(" ".join(tokens[position : before_free - 1]), found)
            position = before_free
        else:
            if pair[0] == "eggless":
                _avoid("egg", found)
            elif pair[0] not in _NOISE and pair[0] not in _PAUSES:
                found.words.append(pair[0])
            position += 1


def _ends_in_free(tokens: Sequence[str], start: int) -> int:
    """Return the position after "palm oil free" or "nut allergy" at `start`, 0 when there is no such phrase."""
    for end in (start + 1, start + 2):
        if end >= len(tokens) or tokens[end - 1] in _ENDS:
            return 0
        two_words = end == start + 2
        if tokens[end] in _AFTERWARDS and (not two_words or _is_head(tokens[end - 1])):
            return 0 if (tokens[end], *tokens[end + 1 : end + 2]) in _WITHOUT_PAIRS else end + 1
    return 0


def _avoided(tokens: Sequence[str], position: int, found: Phrases) -> int:
    """Read the ingredients that stand from `position` on and return the position after them."""
    certain = True
    while True:
        while position < len(tokens) and tokens[position] in _FILLERS:
            position += 1
        end, name = _ingredient(tokens, position)
        # After "and" or a comma may stand the product: "no onion and spicy chips".
        if not name or not (certain or ingredient_names.known(name) or _is_head(name.split()[-1])):
            return position
        _avoid(name, found)
        position = end
        if position >= len(tokens) or tokens[position] not in {"or", "nor", "and", ","}:
            return position
        certain = tokens[position] in {"or", "nor"}
        following = position + 1
        if following < len(tokens) and tokens[following] in _WITHOUT:
            return following
        position = following


def _ingredient(tokens: Sequence[str], start: int) -> tuple[int, str]:
    """Return the end and the name of the ingredient at `start`; the shortest that is one, since it excludes more."""
    run: list[str] = []
    for token in tokens[start : start + 3]:
        if token in _ENDS:
            break
        run.append(token)
    closed = start + len(run) == len(tokens) or tokens[start + len(run)] in _ENDS
    length = next((n for n in (1, 2) if n <= len(run) and _is_head(run[n - 1])), min(1, len(run)))
    if closed and len(run) == 3 and _is_head(run[2]) and not any(map(_is_head, run[:2])):
        length = 3
    end = start + length
    # "no milk powder": whoever avoids it avoids milk, and the powder is no word of the search.
    while length and end < start + len(run) and _is_head(tokens[end]):
        end += 1
    return end, " ".join(run[:length])


def _is_head(word: str) -> bool:
    return ingredient_names.singular(word) in _HEADS


def _avoid(name: str, found: Phrases) -> None:
    claim = ingredient_names.claim(name)
    if claim:
        if claim not in found.dietary_terms:
            found.dietary_terms.append(claim)
    elif name and (key := ingredient_names.singular(name)) not in found.avoid_ingredients:
        found.avoid_ingredients.append(key)
