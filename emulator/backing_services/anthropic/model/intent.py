"""What a customer's message asks for: talk, support, something about what was shown, or a search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from emulator.backing_services.anthropic.model.conversation import Conversation, Product


class Kind(Enum):
    """The sorts of messages."""

    GREETING = auto()
    THANKS = auto()
    ABOUT = auto()
    OFF_TOPIC = auto()
    SUPPORT = auto()
    VAGUE = auto()
    SEARCH = auto()
    # The rest is about what was shown before.
    REFINE = auto()
    CHEAPER = auto()
    MORE = auto()
    SIMILAR = auto()
    STOCK = auto()
    DETAILS = auto()


@dataclass(frozen=True)
class Intent:
    """A message's sort, its words without what only introduces them, and the shown products that it names."""

    kind: Kind
    words: str
    named: Sequence[Product] = ()


_READ_CHARACTERS: Final = 500
_SUPPORT: Final = re.compile(
    r"\b(?:refund|replace(?:d|ment)|complain\w*|invoice|damaged|track(?:ing)?|coupons?|account|password|payment|charged"
    r"|deliver\w*|shipping|shipped|courier|parcel|human|my (?:last |recent )?orders?|customer (?:care|service|support)"
    r"|(?:cancel|return|change)\b.*\border|return policy)\b"
)
_ORDERS: Final = r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules?|prompt|above|previous)\b"
_ELSEWHERE: Final = r"\b(?:system prompt|pretend|weather|news|joke|poem|song|code|capital of|football|politics)\b"
_TALK: Final = (
    (Kind.OFF_TOPIC, rf"{_ORDERS}|{_ELSEWHERE}"),
    (Kind.ABOUT, r"\b(?:who|what) are you\b|\bare you (?:a )?(?:bot|human|real|robot|ai)\b|\bwhat can you do\b"),
    (Kind.GREETING, r"^(?:hi+|hello|hey|namaste|namaskar|good (?:morning|afternoon|evening)|how are you)\b[\w ]{0,8}$"),
    (Kind.THANKS, r"^(?:many )?(?:thanks?|thank you|thx|ok(?:ay)?|yes|no|sure|great|cool|bye|goodbye)\b[\w ]{0,12}$"),
)
_CHEAPER: Final = re.compile(r"\b(?:cheaper|less expensive|lower[- ]price[ds]?|too (?:expensive|costly|pricey|much))\b")
_MORE: Final = re.compile(r"\b(?:more|others?|another|something else|anything else|next)\b")
_SIMILAR: Final = re.compile(r"\b(?:more like|similar|(?:something|anything|ones?) like|same as)\b")
_STOCK: Final = re.compile(r"\b(?:in stock|out of stock|available|availability|how many|left)\b")
_DETAILS: Final = re.compile(r"\b(?:tell me|details?|ingredients?|contains?|what(?:'s| is| are) in|made of|describe)\b")
_REFINING: Final = re.compile(
    r"^(?:only|just|with|without|no|not|under|below|over|above|between|less than|more than|up to|at most)\b"
)
_INTRODUCTION: Final = re.compile(
    r"^(?:and|but|or|also|instead|actually|what about|how about|make (?:it|them)|any)\b[ ,]*"
)
_IT: Final = re.compile(r"\b(?:it|this|that|them|they|these|those)\b")
_ORDINALS: Final = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_PLACE: Final = re.compile(rf"\b({'|'.join(_ORDINALS)})\b|(?:#|\bnumber )([1-5])\b")
_STOP: Final = """
a about all an any anything are available buy can could cheaper costly do else expensive find for get give got have
hungry i idea ideas i'm in is it left less like looking many me more much my need next of one ones only other others
option options order please pricey product products recommend see sell shop show similar some something stock stuff
suggest than that the their them there these they thing things this those to too want what what's which with would you
your how first second third fourth fifth last
"""
_PUNCTUATION: Final = ",.;:!?()-&\"'"
_STOP_WORDS: Final = frozenset(_STOP.split())
"""Words that say nothing about what is wanted."""


def understand(conversation: Conversation) -> Intent:
    """Return what the customer's last message asks for."""
    text = " ".join(conversation.current.text[:_READ_CHARACTERS].lower().replace("\u2019", "'").split())
    if _SUPPORT.search(text):
        return Intent(Kind.SUPPORT, text)
    plain = text.rstrip("!.? ")
    for kind, pattern in _TALK:
        if re.search(pattern, plain):
            return Intent(kind, text)
    words = _INTRODUCTION.sub("", plain)
    named = _named(words, conversation.shown)
    left = [word for part in words.split() if (word := part.strip(_PUNCTUATION)) and word not in _STOP_WORDS]
    if conversation.shown:
        about = _about_shown(words, left, conversation, is_named=bool(named))
        if about is not None:
            return Intent(about, words, named)
    if conversation.last_search and _refines(words, left, conversation, is_introduced=words != plain):
        return Intent(Kind.REFINE, words)
    return Intent(Kind.SEARCH if left else Kind.VAGUE, words)


def _about_shown(words: str, left: Sequence[str], conversation: Conversation, *, is_named: bool) -> Kind | None:
    refers = is_named or (bool(_IT.search(words)) and not left)
    query = str((conversation.last_search or {}).get("query", "")).lower()
    nothing_new = all(word in query for word in left) and not any(digit in words for digit in "0123456789")
    if _CHEAPER.search(words) and all(word in query or _CHEAPER.search(word) for word in left):
        return Kind.CHEAPER if nothing_new else None
    if _SIMILAR.search(words) and (refers or nothing_new):
        return Kind.SIMILAR
    if _STOCK.search(words) and not words.startswith("only") and (refers or (nothing_new and "in stock" not in words)):
        return Kind.STOCK
    if is_named and (_DETAILS.search(words) or not left):
        return Kind.DETAILS
    return Kind.MORE if _MORE.search(words) and nothing_new else None


def _refines(words: str, left: Sequence[str], conversation: Conversation, *, is_introduced: bool) -> bool:
    """Tell whether a message only narrows the last search: a price, a diet, "only in stock", "without onion"."""
    if _REFINING.search(words):
        return True
    diets = {diet for product in conversation.known.values() for diet in product.get("dietary_terms") or ()}
    return is_introduced and bool(left) and all(word in diets for word in left)


def _named(words: str, shown: Sequence[Product]) -> list[Product]:
    """Return the shown products that a message names by their places."""
    places = [_ORDINALS[match[1]] if match[1] else int(match[2]) - 1 for match in _PLACE.finditer(words)]
    return [shown[place] for place in places if -len(shown) <= place < len(shown)]
