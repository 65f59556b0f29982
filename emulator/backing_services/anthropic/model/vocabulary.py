"""Words that the model knows. The shop's own categories and diets come from the schemas of its tools."""

from __future__ import annotations

import re
from typing import Final

DIETS: Final = {
    "vegan": r"vegan|plant[- ]based",
    "vegetarian": r"vegetarian|veg(?!an|e)",
    "jain": r"jain",
    "gluten-free": r"(?:gluten|wheat)[- ]?free|(?:no|without|avoid) gluten",
    "dairy-free": r"(?:dairy|lactose|milk)[- ]?free|(?:no|without) (?:dairy|lactose)",
    "sugar-free": r"sugar[- ]?free|sugarless|unsweetened|(?:no|without) sugar|diabetic",
    "no-palm-oil": r"palm[- ]oil[- ]free|no[- ]palm[- ]oil",
    "organic": r"organic",
    "high-protein": r"(?:high|rich)[- ](?:in[- ])?protein|protein[- ]rich",
    "fragrance-free": r"fragrance[- ]?free|unscented|(?:no|without) (?:fragrance|perfume)",
    "paraben-free": r"paraben[- ]?free|(?:no|without) parabens?",
    "sulphate-free": r"sul(?:ph|f)ate[- ]?free|(?:no|without) sul(?:ph|f)ates?",
    "cruelty-free": r"cruelty[- ]?free|not tested on animals",
}
DIET_PATTERNS: Final = {name: re.compile(rf"\b(?:{words})\b") for name, words in DIETS.items()}

_STOP_WORDS: Final = """
a about all also am an and any anybody anyone anything are around as at available be been best better big bit
both brand brands bring but buy by can cheap cheaper cheapest check choose could different do does else
expensive few find for from get gimme give go going good got got' great had has have hello help hey hi home
house how hungry i i'd i'm i've idea ideas if im in instead into is it it's item items its just kind know left
lemme less let like list look looking lot love low lowest make many may maybe me month more most much my need
new next nice no not now of off ok okay on one ones only option options or order other others our out over pack
packet please price priced prices product products purchase quality rated rating really recommend recommendation
recommendations results rs rupees same search see sell shop should show similar so some something still stock
store stuff suggest suggestion suggestions sure tasty tell than thank thanks that that's the them then there
these they thing things this those to today today's tonight too top try under up us use very wanna want was we
well what what's when where which while who why will wish with without would yes you your
"""
STOP_WORDS: Final = frozenset(_STOP_WORDS.split())
"""Words that say nothing about what is wanted."""

UMBRELLAS: Final = {
    "snack": ("chips", "namkeen", "biscuits", "chocolate", "energy-bars"),
    "snacks": ("chips", "namkeen", "biscuits", "chocolate", "energy-bars"),
    "munchies": ("chips", "namkeen", "biscuits", "chocolate", "energy-bars"),
    "food": ("chips", "breakfast", "noodles", "staples", "sauces"),
    "eat": ("chips", "breakfast", "noodles", "biscuits", "dry-fruits"),
    "drink": ("juices", "tea-coffee", "milk"),
    "drinks": ("juices", "tea-coffee", "milk"),
    "beverage": ("juices", "tea-coffee", "milk"),
    "beverages": ("juices", "tea-coffee", "milk"),
    "thirsty": ("juices", "tea-coffee", "milk"),
    "sweet": ("chocolate", "biscuits", "spreads", "dry-fruits"),
    "sweets": ("chocolate", "biscuits", "spreads", "dry-fruits"),
    "dessert": ("chocolate", "biscuits", "spreads", "dry-fruits"),
    "gift": ("chocolate", "dry-fruits", "tea-coffee"),
    "gifts": ("chocolate", "dry-fruits", "tea-coffee"),
    "present": ("chocolate", "dry-fruits", "tea-coffee"),
    "grocery": ("staples", "oils-ghee", "sauces", "tea-coffee", "milk"),
    "groceries": ("staples", "oils-ghee", "sauces", "tea-coffee", "milk"),
    "cosmetics": ("skin-care", "hair-care", "soap", "oral-care", "deodorant"),
    "toiletries": ("skin-care", "hair-care", "soap", "oral-care", "deodorant"),
    "healthy": ("dry-fruits", "breakfast", "energy-bars", "juices"),
}
GENERAL_CHOICE: Final = ("chips", "chocolate", "tea-coffee", "staples", "skin-care")

ORDINALS: Final = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "5th": 4,
    "last": -1,
}


def singular(word: str) -> str:
    """Return `word` without the ending of a plural, roughly."""
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def same(left: str, right: str) -> bool:
    """Tell whether two names differ in case, hyphens and plural only."""
    return _plain(left) == _plain(right)


def _plain(name: str) -> str:
    return " ".join(singular(word) for word in re.findall(r"[^\W_]+", name.lower()))
