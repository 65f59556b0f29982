"""How far apart two words may be, and how far they are.

Source: Elasticsearch 8.19 reference, "Common options", "Fuzziness".
"""

from __future__ import annotations

import re
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import parsing

_AUTO: Final = re.compile(r"AUTO(?::(\d+),(\d+))?")


def edits_for(fuzziness: Any, term: str) -> int:
    """Return how many edits `fuzziness` (AUTO or AUTO:low,high) allows for `term`."""
    given = _AUTO.fullmatch(str(fuzziness).upper())
    if given is None:
        raise parsing(f"failed to parse fuzziness [{fuzziness}]: the fake knows AUTO and AUTO:low,high")
    low, high = (int(length) for length in given.groups("0")) if given[1] else (3, 6)
    return 0 if len(term) < low else 1 if len(term) < high else 2


def distance_within(left: str, right: str, most: int) -> int | None:
    """Return the edits between two words when they are at most `most`, else None.

    An edit inserts, removes or replaces a letter or swaps two neighbouring ones (optimal string alignment).
    """
    if abs(len(left) - len(right)) > most:
        return None
    if left == right:
        return 0
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return None
    return row[-1] if row[-1] <= most else None
