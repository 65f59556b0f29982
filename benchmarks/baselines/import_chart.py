"""Imports as a waterfall: one SVG file without scripts or fonts, for light and dark pages.

A row for each of the longest imports, under the module that asked for it. Its bar begins when the import began and is
as long as it took; the darker part is its own time. The times are those of `-X importtime`, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from emulator.metrics.import_times import Import

_WIDTH, _LABELS, _VALUES = 960, 340, 70
_BARS: Final = _WIDTH - _LABELS - _VALUES
_ROW, _BAR, _HEADING, _TOP, _BOTTOM = 18, 11, 46, 56, 24
_INDENT: Final = 12
_DEEPEST: Final = 12
_CHARACTER: Final = 7
_MOST_ROWS: Final = 36
_STYLE: Final = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 18px; font-weight: 600; }
    .heading { font-size: 14px; font-weight: 600; }
    .quiet { fill: #59636e; }
    .total { fill: #a8c7fa; }
    .own { fill: #2f6feb; }
    .axis { stroke: #d1d9e0; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .total { fill: #1f3d70; }
      .own { fill: #4493f8; }
      .axis { stroke: #3d444d; }
    }
"""


@dataclass(frozen=True)
class Panel:
    """The imports of one process, in their order."""

    heading: str
    imports: tuple[Import, ...]

    @property
    def total_ms(self) -> float:
        """Return what all of them took."""
        return sum(each.total_ms for each in self.imports)


@dataclass(frozen=True)
class Row:
    """An import that began at `start_ms`, `depth` modules below the first."""

    imported: Import
    start_ms: float
    depth: int


def waterfall(title: str, panels: Sequence[Panel]) -> str:
    """Return the chart; all panels have one scale."""
    scale = _BARS / (max((panel.total_ms for panel in panels), default=0) or 1)
    lines, y = [], _TOP
    for panel in panels:
        y += _HEADING
        rows = heaviest(panel.imports)
        heading = f"{panel.heading}, {panel.total_ms:.0f} ms"
        lines.append(f'<text class="heading" x="16" y="{y - 14}">{escape(heading)}</text>')
        bottom = y + _ROW * len(rows)
        lines.append(f'<line class="axis" x1="{_LABELS}" y1="{y}" x2="{_LABELS}" y2="{bottom}"/>')
        for position, row in enumerate(rows):
            lines += _bar(row, y + position * _ROW + _ROW // 2, scale)
        y = bottom
    height = y + _BOTTOM
    subtitle = "dark: the module's own time; light: what it was the first to import"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title">'
    )
    return "\n".join(
        [
            head,
            f'  <title id="title">{escape(title)}</title>',
            f"  <style>{_STYLE}  </style>",
            f'  <text class="title" x="16" y="30">{escape(title)}</text>',
            f'  <text class="quiet" x="16" y="50">{escape(subtitle)}</text>',
            *(f"  {line}" for line in lines),
            "</svg>",
            "",
        ]
    )


def heaviest(imports: Sequence[Import]) -> list[Row]:
    """Return the imports that took longest with what they imported, each under the one that asked for it."""
    rows = list(_rows(imports, 0.0, 0))
    if len(rows) > _MOST_ROWS:
        # Whoever asked for an import took at least as long, so no row loses the one above it.
        least = sorted((row.imported.total_ms for row in rows), reverse=True)[_MOST_ROWS - 1]
        rows = [row for row in rows if row.imported.total_ms >= least]
    return rows


def _rows(imports: Sequence[Import], start_ms: float, depth: int) -> Iterator[Row]:
    for imported in imports:
        yield Row(imported, start_ms, depth)
        yield from _rows(imported.children, start_ms, depth + 1)
        start_ms += imported.total_ms


def _bar(row: Row, middle: int, scale: float) -> Iterator[str]:
    imported = row.imported
    start, width = _LABELS + row.start_ms * scale, imported.total_ms * scale
    own = min(imported.own_ms, imported.total_ms) * scale
    top, end = middle - _BAR // 2, start + width
    left = 16 + min(row.depth, _DEEPEST) * _INDENT
    yield f'<text x="{left}" y="{middle + 4}">{escape(_fitting(imported.module, _LABELS - left))}</text>'
    yield f'<rect class="total" x="{start:.1f}" y="{top}" width="{max(width, 0.5):.1f}" height="{_BAR}"/>'
    yield f'<rect class="own" x="{end - own:.1f}" y="{top}" width="{own:.1f}" height="{_BAR}"/>'
    yield f'<text class="quiet" x="{end + 6:.1f}" y="{middle + 4}">{imported.total_ms:.1f}</text>'


def _fitting(name: str, width: int) -> str:
    """Return the end of a name that is too long for `width`: there it says most."""
    most = width // _CHARACTER
    return name if len(name) <= most else f"…{name[1 - most :]}"
