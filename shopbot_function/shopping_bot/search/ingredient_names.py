"""What else an ingredient is called on a packet, so that who avoids it is not shown it under another name."""

from __future__ import annotations

from collections.abc import Mapping

# Words, or words in a row, anywhere in an ingredient: "milk" finds "milk solids". Who says nuts means peanuts too.
_WITHIN: Mapping[str, tuple[str, ...]] = {
    "egg": ("egg", "albumen", "mayonnaise"),
    "milk": ("milk", "whey", "curd", "ghee", "cream", "cheese", "paneer", "casein", "lactose", "khoya"),
    "nut": (
        *("nut", "almond", "cashew", "hazelnut", "pistachio", "walnut", "pecan", "macadamia"),
        *("peanut", "groundnut"),
    ),
    "palm oil": ("palm", "palmolein", "palmate", "palmitate"),
    "peanut": ("peanut", "groundnut"),
    "soy": ("soy", "soya", "soybean"),
    "sugar": ("sugar", "jaggery", "invert syrup", "glucose syrup", "corn syrup"),
    "wheat": ("wheat", "maida", "semolina", "suji", "atta"),
}
# The whole ingredient: "butter" comes from milk, "cocoa butter" does not.
_EXACTLY: Mapping[str, tuple[str, ...]] = {"milk": ("butter", "cow butter")}
_SAME: Mapping[str, str] = {
    "groundnut": "peanut",
    "maida": "wheat",
    "palm": "palm oil",
    "palmolein": "palm oil",
    "soya": "soy",
    "soybean": "soy",
    "tree nut": "nut",
}
_OTHERS = {
    *("alcohol", "almond", "beeswax", "cashew", "chilli", "coconut", "colour", "egg", "fluoride", "garlic", "ginger"),
    *("honey", "jaggery", "maltitol", "meat", "mustard", "oat", "onion", "preservative", "salt", "sesame", "tomato"),
}
# Not one ingredient but a class of them, which a packet's claim covers and its list does not.
_CLAIMS: Mapping[str, str] = {
    "cruelty": "cruelty-free",
    "dairy": "dairy-free",
    "fragrance": "fragrance-free",
    "gluten": "gluten-free",
    "lactose": "dairy-free",
    "paraben": "paraben-free",
    "perfume": "fragrance-free",
    "sulfate": "sulphate-free",
    "sulphate": "sulphate-free",
}


def singular(name: str) -> str:
    """Return `name` in lower case and without a plural ending."""
    name = " ".join(name.casefold().split())
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us")) and len(name) > 3 else name


def known(name: str) -> bool:
    """Tell whether `name` is known to be an ingredient or a class of them."""
    key = singular(name)
    return any(key in names for names in (_WITHIN, _SAME, _CLAIMS, _OTHERS))


def claim(name: str) -> str | None:
    """Return the dietary term that promises the absence of `name`, None when only the ingredients tell."""
    return _CLAIMS.get(singular(name))


def within(name: str) -> tuple[str, ...]:
    """Return the words that betray `name` anywhere in an ingredient."""
    key = singular(name)
    return _WITHIN.get(_SAME.get(key, key), (key,))


def exactly(name: str) -> tuple[str, ...]:
    """Return the ingredients that, as a whole, are made of `name`."""
    key = singular(name)
    return _EXACTLY.get(_SAME.get(key, key), ())
