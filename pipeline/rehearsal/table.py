"""What became of what is declared, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.rehearsal.comparison import Made, Row
from pipeline.rehearsal.deployed import IS_PLACEHOLDER


def summary(rows: Iterable[Row]) -> str:
    """Return one sentence with the numbers."""
    listed = list(rows)
    count = Counter(row.made for row in listed)
    parts = [f"{count[made]} {made.value}" for made in Made if count[made] and made is not Made.YES]
    resources = len({row.resource for row in listed})
    made = f"{count[Made.YES]} of {len(listed)} declared properties of {resources} resources made"
    return ", ".join([made, *parts])


def by_resource(rows: Sequence[Row]) -> str:
    """Return a line for each resource, and below it one for each property that was not made."""
    lines = []
    for resource, members in groupby(rows, lambda row: row.resource):
        own = list(members)
        made = sum(row.made is Made.YES for row in own)
        lines.append(f"  {resource:<42} {own[0].type_name:<30} {made:>2} of {len(own):>2} made")
        if all(row.remark == IS_PLACEHOLDER for row in own):
            lines.append(f"      {IS_PLACEHOLDER}")
            continue
        lines += [f"      {row.made.value}: {row.name}{remark(row)}" for row in own if row.made is not Made.YES]
    return "\n".join(lines)


def remark(row: Row) -> str:
    """Return why a row's property is not made, in brackets, or "" when that is said already."""
    said = row.made is Made.YES or row.remark in ("", row.name, IS_PLACEHOLDER)
    return "" if said else f" ({row.remark})"
