"""How far apart two words may be, and how far they are.

Source: Elasticsearch 8.19 reference, "Common options", "Fuzziness".
"""

from __future__ import annotations

from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import illegal_argument, parsing

_MAXIMUM_EDITS: Final = 2


def edits_for(fuzziness: Any, term: str) -> int:
    """Return how many edits `fuzziness` (0, 1, 2, AUTO, AUTO:low,high) allows for `term`."""
    text = str(fuzziness).upper()
    if text.startswith("AUTO"):
        low, high = _lengths(text)
        return 0 if len(term) < low else 1 if len(term) < high else 2
    try:
        edits = int(float(text))
    except (ValueError, OverflowError):
        raise parsing(f"failed to parse fuzziness [{fuzziness}]: take 0, 1, 2 or AUTO") from None
    if not 0 <= edits <= _MAXIMUM_EDITS:
        raise illegal_argument(f"Valid edit distances are [0, 1, 2] but was [{fuzziness}]")
    return edits


def _lengths(text: str) -> tuple[int, int]:
    if text == "AUTO":
        return 3, 6
    try:
        low, high = (int(part) for part in text.removeprefix("AUTO:").split(","))
    except ValueError:
        raise parsing(f"failed to find low and high distance values in [{text}]") from None
    return low, high


def distance_within(left: str, right: str, most: int) -> int | None:
    """Return the edits between two words when they are at most `most`, else None.

    An edit inserts, removes or replaces a letter or swaps two backing services (optimal string alignment).
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
