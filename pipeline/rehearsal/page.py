"""What became of what is declared, as the page in the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.rehearsal.comparison import Made, Row
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import IS_PLACEHOLDER
from pipeline.rehearsal.table import remark, summary

_WIDEST: Final = 100
_MADE: Final = "## Declared and made"
_INTRODUCTION: Final = """\
# What a rehearsal makes of the template

`make rehearse` deploys `template.yaml` with the unmodified `sam deploy` to an emulated CloudFormation and reads back,
through the services' own APIs, every property that the template declares with the parameters of `[rehearsal]` in
`samconfig.toml`, and with other sets of parameters. `make rehearse ARGS="--write docs/rehearsal.md"` writes this page;
a rehearsal fails when something that the page says is made is not made any more.
What that proves and what not: [decisions/rehearsal.md](decisions/rehearsal.md).

A name in angle brackets is a parameter that is known only when it runs. A resource's name stands for what `Ref` gives,
`Name.Attribute` for what `Fn::GetAtt` gives.
"""


@dataclass(frozen=True)
class Report:
    """What one set of parameters declares, and what became of it. `name` and `described` are the set's."""

    name: str
    described: str
    declaration: Declaration
    rows: Sequence[Row]

    def declared(self) -> dict[tuple[str, str], Any]:
        """Return each declared value by its resource and property."""
        return {
            (resource.logical_id, name): value
            for resource in self.declaration.resources
            for name, value in resource.properties.items()
        }


def markdown(first: Report, others: Sequence[Report]) -> str:
    """Return the page: the gaps with their reasons, what is switched off, and a row for each declared property."""
    rows = [row for report in (first, *others) for row in report.rows]
    gaps = dict.fromkeys(gap for row in rows for gap in row.explained)
    unknown = dict.fromkeys(row.type_name for row in rows if row.remark == IS_PLACEHOLDER)
    lines = [
        _INTRODUCTION,
        f"**{summary(first.rows)}.**\n",
        "## Not emulated\n",
        *_head("type", "property", "what happens"),
    ]
    lines += [
        f"| {gap.type_name} | `{gap.path}` | {gap.reason} |" for gap in sorted(gaps, key=lambda gap: gap.type_name)
    ]
    lines += [f"| {type_name} | all | {IS_PLACEHOLDER} |" for type_name in unknown]
    lines += ["", "## Other sets of parameters\n", *_head("set", "what it is", "made")]
    lines += [f"| {report.name} | {report.described} | {summary(report.rows)} |" for report in others]
    lines += ["", "What they declare otherwise:", "", *_head("set", "resource", "property", "declared", "made")]
    known = first.declared()
    for report in others:
        for resource, _, name, value, came in _cells(report, without=known):
            lines.append(f"| {report.name} | {resource} | {name} | {value} | {came} |")
    made = {resource for report in (first, *others) for resource, _ in report.declared()}
    off = [one for one in first.declaration.switched_off if one.logical_id not in made]
    if off:
        lines += ["", "## Not made in a rehearsal\n", *_head("resource", "type", "because")]
        lines += [f"| {one.logical_id} | {one.type_name} | {one.reason} |" for one in off]
    lines += ["", f"{_MADE}\n", *_head("resource", "type", "property", "declared", "made")]
    lines += [f"| {' | '.join(cells)} |" for cells in _cells(first, without={})]
    return "\n".join(lines) + "\n"


def losses(page: str, rows: Iterable[Row]) -> list[Row]:
    """Return the rows of what `page` says is made, and is declared and not made now."""
    listed = page.partition(_MADE)[2]
    made = re.finditer(r"(?m)^\| (\S+) \| \S+ \| (.+?) \| .* \| yes \|$", listed)
    kept = {(match[1], match[2]) for match in made}
    return [row for row in rows if row.made is not Made.YES and (row.resource, row.name) in kept]


def _head(*names: str) -> list[str]:
    return [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]


def _cells(report: Report, without: Mapping[tuple[str, str], Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield resource, type, property, declared value and what came of it for each property that is not in `without`."""
    made = {(row.resource, row.name): row for row in report.rows}
    types = {resource.logical_id: resource.type_name for resource in report.declaration.resources}
    for key, value in report.declared().items():
        if key not in without or without[key] != value:
            yield key[0], types[key[0]], key[1], _cell(value), made[key].made.value + remark(made[key])


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    text = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"
