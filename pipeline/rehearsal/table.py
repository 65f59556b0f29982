"""What was declared and what became of it, for a screen and as Markdown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

from pipeline.rehearsal.comparison import Gap, Made, Row
from pipeline.rehearsal.declaration import Declaration

_WIDEST: Final = 100
_INTRODUCTION: Final = """\
# What a rehearsal makes of the template

`make rehearse` deploys `template.yaml` with the unmodified `sam deploy` to an emulated CloudFormation and reads back,
through the services' own APIs, every property that the template declares with the parameters of `[rehearsal]` in
`samconfig.toml`. `make rehearse ARGS="--write docs/rehearsal.md"` writes this page; a rehearsal fails when it is stale.
What that proves and what not: [decisions/rehearsal.md](decisions/rehearsal.md).

A name in angle brackets is a parameter that is known only when it runs. A resource's name stands for what `Ref` gives,
`Name.Attribute` for what `Fn::GetAtt` gives.
"""


def summary(rows: Iterable[Row]) -> str:
    """Return one sentence with the numbers."""
    listed = list(rows)
    count = Counter(row.made for row in listed)
    parts = [f"{count[made]} {made.value}" for made in Made if count[made] and made is not Made.YES]
    resources = len({row.resource for row in listed})
    made = f"{count[Made.YES]} of {len(listed)} declared properties of {resources} resources made"
    return ", ".join([made, *parts])


def screen(rows: Sequence[Row]) -> str:
    """Return a line for each resource, and below it one for each property that was not made."""
    lines = []
    for resource, members in groupby(rows, lambda row: row.resource):
        own = list(members)
        made = sum(row.made is Made.YES for row in own)
        lines.append(f"  {resource:<42} {own[0].type_name:<30} {made:>2} of {len(own):>2} made")
        lines += [f"      {row.made.value}: {row.name}{_remark(row)}" for row in own if row.made is not Made.YES]
    return "\n".join(lines)


def markdown(declaration: Declaration, rows: Sequence[Row], gaps: Iterable[Gap]) -> str:
    """Return the page: the gaps with their reasons, what is switched off, and a row for each declared property."""
    lines = [
        _INTRODUCTION,
        f"**{summary(rows)}.**\n",
        "## Not emulated\n",
        "| type | property | what happens |",
        "|---|---|---|",
    ]
    lines += [f"| {gap.type_name} | `{gap.path}` | {gap.reason} |" for gap in gaps]
    lines += ["", "## Not made in a rehearsal\n", "| resource | type | because |", "|---|---|---|"]
    lines += [f"| {off.logical_id} | {off.type_name} | {off.reason} |" for off in declaration.switched_off]
    lines += ["", "## Declared and made\n", "| resource | type | property | declared | made |", "|---|---|---|---|---|"]
    made = {(row.resource, row.name): row for row in rows}
    for resource in declaration.resources:
        for name, value in resource.properties.items():
            row = made[resource.logical_id, name]
            came = row.made.value + _remark(row)
            lines.append(f"| {resource.logical_id} | {resource.type_name} | {name} | {_cell(value)} | {came} |")
    return "\n".join(lines) + "\n"


def declared_part(page: str) -> list[str]:
    """Return the rows of a page without what became of them: what the template alone decides."""
    return [line.rpartition(" | ")[0] for line in page.splitlines() if line.startswith("| ")]


def _remark(row: Row) -> str:
    return f" ({row.remark})" if row.remark and row.remark != row.name and row.made is not Made.YES else ""


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    text = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"
