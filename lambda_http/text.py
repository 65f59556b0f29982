"""Text that people write and read, in any script: its words, and what of it can be seen.

Sources: Unicode Standard Annex #44 (General_Category), Annex #29 (a word goes on over marks and joiners, rules WB4 and
WB5), Annex #31 section 2.3 and the Unicode Standard section 23.2 (what joiners mean), Technical Standard #51 (joiners
and tags in emoji), Annex #9 (directional formatting characters).
"""

from __future__ import annotations

import unicodedata

ZERO_WIDTH_NON_JOINER = "\u200c"
ZERO_WIDTH_JOINER = "\u200d"
JOINERS = ZERO_WIDTH_NON_JOINER + ZERO_WIDTH_JOINER

# Of the format characters (Cf) these change what is read: joiners, implicit directional marks, the tags of emoji flags.
# Signs that stand before numbers and verses (Arabic, Syriac, Kaithi) are to be seen themselves.
_NUMBER_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_MEANINGFUL = frozenset(JOINERS + "\u200e\u200f\u061c") | frozenset(map(chr, range(0xE0020, 0xE0080))) | _NUMBER_SIGNS
# Letters and a symbol that show nothing: fillers of Hangul, the empty Braille pattern.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def words(text: str) -> list[str]:
    """Return the words of `text` in their order: runs of letters, marks, digits and joiners."""
    separated = "".join(character if is_in_word(character) else " " for character in text)
    # One at the end may be part of the last letter, as in Malayalam.
    found = (word.lstrip(JOINERS) for word in separated.split(" "))
    return [word for word in found if is_visible(word)]


def is_in_word(character: str) -> bool:
    """Tell whether words go on over `character`: a letter, a mark, a digit or a joiner."""
    return character.isalnum() or character in JOINERS or unicodedata.category(character)[0] == "M"


def is_visible(text: str) -> bool:
    """Tell whether anything of `text` shows: a letter, a digit, a sign or a symbol, not marks and spaces alone."""
    return any(
        character not in _BLANK and (unicodedata.category(character)[0] in "LNPS" or character in _NUMBER_SIGNS)
        for character in text
    )


def is_readable(character: str) -> bool:
    """Tell whether `character` belongs into a text that people read.

    These do not: control characters, format characters without a meaning in a line of text (such as overrides of the
    direction of writing), half a surrogate pair, and line and paragraph separators. Spaces do.
    """
    category = unicodedata.category(character)
    return category not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _MEANINGFUL


def readable(text: str) -> str:
    """Return `text` with nothing but readable characters and line feeds; every other space becomes a plain one."""
    kept = []
    for character in text:
        if character == "\n" or (is_readable(character) and not character.isspace()):
            kept.append(character)
        elif character.isspace():
            kept.append(" ")
    return "".join(kept)
