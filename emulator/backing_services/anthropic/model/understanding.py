"""What a customer's message means, by the message alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from emulator.backing_services.anthropic.model import phrases
from emulator.backing_services.anthropic.model.prices import price_limits
from emulator.backing_services.anthropic.model.vocabulary import DIET_PATTERNS, ORDINALS, STOP_WORDS, UMBRELLAS, same
from emulator.backing_services.anthropic.model.wish import Wish


class Kind(Enum):
    """The sorts of messages."""

    GREETING = auto()
    THANKS = auto()
    FAREWELL = auto()
    ABOUT = auto()
    AGREEMENT = auto()
    REFUSAL = auto()
    OFF_TOPIC = auto()
    INJECTION = auto()
    SUPPORT = auto()
    PURCHASE = auto()
    VAGUE = auto()
    PRODUCT = auto()
    # The rest is about what was shown before.
    CHEAPER = auto()
    DEARER = auto()
    MORE = auto()
    SIMILAR = auto()
    STOCK = auto()
    DETAILS = auto()
    CHEAPEST = auto()
    BEST = auto()
    COMPARE = auto()


@dataclass(frozen=True)
class Understanding:
    """A message's sort, the wish in it, and the places of products that it refers to (-1: the last)."""

    kind: Kind
    wish: Wish = field(default_factory=Wish)
    references: tuple[int, ...] = ()
    is_fresh: bool = False
    """It begins a wish of its own: "something vegan"."""
    is_change: bool = False
    """It begins as one who changes an earlier wish does: "and", "what about"."""
    umbrella: str | None = None
    """The wide word that it uses: "snacks"."""


def understand(text: str, *, categories: Sequence[str] = (), brands: Sequence[str] = ()) -> Understanding:
    """Return what `text` means. `categories` and `brands` are the shop's, where they are known."""
    said = re.sub(r"[\u2018\u2019]", "'", text).strip()
    low = re.sub(r"\s+", " ", said.lower())
    for pattern, kind in (
        (phrases.INJECTION, Kind.INJECTION),
        (phrases.SUPPORT, Kind.SUPPORT),
        (phrases.PURCHASE, Kind.PURCHASE),
    ):
        if pattern.search(low):
            return Understanding(kind, references=_references(low))
    wish, rest = _wish(said, low, categories, brands)
    talk = _talk(low, rest, wish)
    if talk is not None:
        return Understanding(talk)
    return _about_products(low, rest, wish)


def _talk(low: str, rest: list[str], wish: Wish) -> Kind | None:
    words = re.findall(r"[a-z']+", low)
    plain = not wish.has_filters()
    if phrases.ABOUT.search(low):
        return Kind.ABOUT
    if phrases.OFF_TOPIC.search(low) and plain:
        return Kind.OFF_TOPIC
    if phrases.SMALLTALK.search(low) or (
        words and len(words) <= 4 and all(word in phrases.GREETINGS for word in words)
    ):
        return Kind.GREETING
    if phrases.FAREWELL.search(low) and plain:
        return Kind.FAREWELL
    if not words and not rest and plain:
        return Kind.AGREEMENT
    refused = [word for word in words if word in phrases.REFUSAL]
    if plain and refused and len(words) <= 3 and all(word in (*refused, "thanks") for word in words):
        return Kind.REFUSAL
    if plain and all(word in phrases.AGREEMENT for word in words):
        return Kind.AGREEMENT
    if (
        phrases.THANKS.search(low)
        and plain
        and not [word for word in rest if not phrases.THANKS.search(word)]
        and len(words) <= 6
    ):
        return Kind.THANKS
    return None


def _about_products(low: str, rest: list[str], wish: Wish) -> Understanding:
    references = _references(low)
    is_change = bool(phrases.CHANGE.search(low))
    refers = bool(references or phrases.IT.search(low))
    kind = Kind.PRODUCT
    if phrases.COMPARE.search(low) and references:
        kind = Kind.COMPARE
    elif phrases.STOCK_OF.search(low):
        kind, wish = Kind.STOCK, replace(wish, in_stock_only=False)
    elif phrases.SIMILAR.search(low) and (refers or not rest):
        kind = Kind.SIMILAR
    elif (
        phrases.STOCK.search(low) and phrases.STOCK_QUESTION.search(low) and (refers or not rest) and " only" not in low
    ):
        kind = Kind.STOCK
    elif (phrases.DETAILS.search(low) and refers) or (references and not rest):
        kind = Kind.DETAILS
    elif phrases.CHEAPER.search(low) and wish.price_max is None:
        kind = Kind.CHEAPER
    elif not rest and not wish.has_filters():
        patterns = (
            (phrases.CHEAPEST, Kind.CHEAPEST),
            (phrases.BEST, Kind.BEST),
            (phrases.DEARER, Kind.DEARER),
            (phrases.MORE, Kind.MORE),
        )
        kind = next((kind for pattern, kind in patterns if pattern.search(low)), Kind.VAGUE)
    umbrella = next((word for word in rest if word in UMBRELLAS), None)
    if kind is Kind.PRODUCT and umbrella and not wish.has_filters() and all(word in UMBRELLAS for word in rest):
        kind = Kind.VAGUE
    is_fresh = bool(phrases.FRESH.search(low))
    return Understanding(kind, wish, references, is_fresh, is_change, umbrella)


def _wish(said: str, low: str, categories: Sequence[str], brands: Sequence[str]) -> tuple[Wish, list[str]]:
    """Return the wish in a message, and its words that are part of no filter."""
    (price_min, price_max), rest = price_limits(low)
    found_brands = [brand for brand in brands if re.search(rf"\b{re.escape(brand.lower())}\b", rest)]
    if not found_brands:
        found_brands = [name for name in phrases.BRAND.findall(said) if name.lower() not in STOP_WORDS]
    for brand in found_brands:
        rest = re.sub(rf"\b(?:by |from |brand )?{re.escape(brand.lower())}\b", " ", rest)
    dietary, avoid, rest = _diet(rest)
    in_stock_only = bool(phrases.STOCK_FILTER.search(rest)) and not re.search(
        r"\b(?:is|are|if) (?:it|they|this|that)\b", rest
    )
    rest = phrases.STOCK_FILTER.sub(" ", rest)
    count = phrases.COUNT.search(rest)
    size = None if count is None else phrases.COUNTS.get(count[1]) or int(count[1])
    rest = phrases.MEASURE.sub(" ", phrases.COUNT.sub(" ", phrases.REFERENCE.sub(" ", rest)))
    words = [word.strip("'-") for word in re.findall(r"[^\W_][\w'%&-]*", rest)]
    content = [word for word in words if word and word not in STOP_WORDS]
    query = " ".join(content)
    category = next((name for name in categories if query and same(name, query)), None)
    wish = Wish(
        query=query,
        category=category,
        price_min=price_min,
        price_max=price_max,
        dietary=tuple(dietary),
        avoid=tuple(avoid),
        brands=tuple(found_brands),
        in_stock_only=in_stock_only,
        size=size if size and 0 < size <= 20 else None,
    )
    return wish, content


def _diet(text: str) -> tuple[list[str], list[str], str]:
    """Return diets, ingredients to avoid, and the text without them."""
    dietary, avoid = [], []
    for name, pattern in DIET_PATTERNS.items():
        if name == "no-palm-oil":
            continue  # an ingredient like any other
        if pattern.search(text):
            dietary.append(name)
            text = pattern.sub(" ", text)
    for found in phrases.AVOID.finditer(text):
        named = [found[1], *re.split(r",? and |,? or |, ?", found[2] or "")]
        avoid += [
            re.sub(r"^no ", "", name.strip()) for name in named if name.strip() and name.strip() not in STOP_WORDS
        ]
    text = phrases.AVOID.sub(" ", text)
    for found in phrases.FREE_OF.finditer(text):
        avoid.append(re.sub(r".* (?=palm|coconut)", "", found[1]))
    text = re.sub(r"\bpalm[- ]oil[- ]free\b", " ", text)
    return dietary, list(dict.fromkeys(avoid)), phrases.FREE_OF.sub(" ", text)


def _references(low: str) -> tuple[int, ...]:
    found = (ORDINALS[match[1]] if match[1] else int(match[2]) - 1 for match in phrases.REFERENCE.finditer(low))
    return tuple(dict.fromkeys(found))
