"""The results of the comparison: a file of its own, the import charts, and the table in benchmarks/README.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.baselines.comparison import NAME
from benchmarks.measure import Measure, Section
from benchmarks.results import Run, document, headline
from benchmarks.table import number
from sam_template.repository import REPOSITORY

PAGE: Final = REPOSITORY / "benchmarks" / "README.md"
BEGIN: Final = "<!-- written by python -m benchmarks --only baselines -->"
END: Final = "<!-- end of what is written -->"


def write(folder: Path, run: Run, sections: Sequence[Section]) -> None:
    """Write `baselines.json` and the charts into `folder`."""
    own = [section for section in sections if section.name.startswith(NAME)]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document(run, own, ()), indent=2, ensure_ascii=False)
    (folder / f"{NAME}.json").write_text(f"{text}\n", encoding="utf-8")
    for section in own:
        for name, chart in section.files.items():
            (folder / name).write_text(chart, encoding="utf-8")


def replace(page: str, written: str) -> str:
    """Return `page` with `written` between its markers. Raises `ValueError` when it has none."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError("benchmarks/README.md has lost its markers")
    return f"{before}{BEGIN}\n\n{written}\n\n{END}{after}"


def tables(run: Run, sections: Sequence[Section]) -> str:
    """Return the tables of the page."""
    own = [section for section in sections if section.name.startswith(NAME)]
    return "\n\n".join([f"{headline(run)}. Median (smallest to largest).", *map(_table, own)])


def _table(section: Section) -> str:
    quantities = list(dict.fromkeys((measure.quantity, measure.unit) for measure in section.measures))
    subjects = list(dict.fromkeys(measure.subject for measure in section.measures))
    cells = {(measure.subject, measure.quantity): _spread(measure) for measure in section.measures}
    heads = [section.title, *(f"{name}, {unit}".removesuffix(", x") for name, unit in quantities)]
    return _markdown([heads, *([each, *(cells[each, quantity] for quantity, _ in quantities)] for each in subjects)])


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(measure: Measure) -> str:
    values = (measure.median, measure.low, measure.high)
    median, low, high = (number(value, measure.unit) for value in values)
    return f"{median} ({low} to {high})"
