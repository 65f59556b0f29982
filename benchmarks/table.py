"""The results as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.measure import Measure, Section


def section_text(section: Section) -> str:
    """Return the section: its title, its measures as a table, its notes."""
    rows = _matrix(section.measures) if section.is_matrix else _spread(section.measures)
    notes = [f"  {note}" for note in section.notes]
    return "\n".join([section.title, *aligned(rows), *notes])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return `rows` as lines: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines


def number(value: float, unit: str) -> str:
    """Return `value` with the decimals that mean something in its unit."""
    match unit:
        case "s" | "x":
            return f"{value:.2f}"
        case "ms" if abs(value) < 100:
            return f"{value:.1f}"
        case "MB":
            return f"{value:.1f}"
        case _:
            return f"{value:.0f}"


def _spread(measures: Sequence[Measure]) -> list[list[str]]:
    rows = [["", "median", "min", "max", ""]]
    for measure in measures:
        values = (measure.median, measure.low, measure.high)
        cells = [number(value, measure.unit) for value in values]
        if len(measure.values) == 1:
            cells[1:] = ["", ""]
        rows.append([f"{measure.subject}, {measure.quantity}", *cells, measure.unit])
    return rows


def _matrix(measures: Sequence[Measure]) -> list[list[str]]:
    columns = list(dict.fromkeys((measure.quantity, measure.unit) for measure in measures))
    subjects = list(dict.fromkeys(measure.subject for measure in measures))
    cells = {(measure.subject, measure.quantity): number(measure.median, measure.unit) for measure in measures}
    rows = [["", *(_heading(quantity, unit) for quantity, unit in columns)]]
    rows += [[subject, *(cells.get((subject, quantity), "") for quantity, _ in columns)] for subject in subjects]
    return rows


def _heading(quantity: str, unit: str) -> str:
    return unit if unit == "requests/s" else f"{quantity} {unit}".strip()
