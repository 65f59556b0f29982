"""The results as a horizontal bar chart: one SVG file without scripts or fonts, for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.measure import Measure, Section
from benchmarks.table import number

_WIDTH, _LABELS, _VALUES = 880, 320, 150
_BARS = _WIDTH - _LABELS - _VALUES
_ROW, _BAR, _HEADING, _TOP, _BOTTOM = 22, 12, 44, 60, 24
_STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 18px; font-weight: 600; }
    .heading { font-weight: 600; }
    .quiet { fill: #59636e; }
    .bar { fill: #2f6feb; }
    .spread { stroke: #1f2328; stroke-width: 1.5; }
    .axis { stroke: #d1d9e0; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .bar { fill: #4493f8; }
      .spread { stroke: #f0f6fc; }
      .axis { stroke: #3d444d; }
    }
"""


@dataclass(frozen=True)
class Panel:
    """Measures of one unit that share a scale."""

    title: str
    measures: tuple[Measure, ...]

    @property
    def quantities(self) -> list[str]:
        """Return what is measured: a single quantity is said in the heading, several beside their bars."""
        return list(dict.fromkeys(measure.quantity for measure in self.measures))

    @property
    def heading(self) -> str:
        """Return the title with the unit."""
        quantity = f", {self.quantities[0]}" if len(self.quantities) == 1 else ""
        return f"{self.title}{quantity} ({self.measures[0].unit})"

    def label(self, measure: Measure) -> str:
        """Return what stands beside the bar of `measure`."""
        return measure.subject if len(self.quantities) == 1 else f"{measure.subject}, {measure.quantity}"


def panels(sections: Sequence[Section]) -> list[Panel]:
    """Return what the sections want charted, one panel for each unit of a section."""
    found = []
    for section in sections:
        charted = [measure for measure in section.measures if measure.charted]
        for unit in dict.fromkeys(measure.unit for measure in charted):
            measures = tuple(measure for measure in charted if measure.unit == unit)
            found.append(Panel(section.title, measures))
    return found


def svg(title: str, subtitle: str, charted: Sequence[Panel]) -> str:
    """Return the chart: a bar for each median, a line from the smallest value to the largest."""
    lines, y = [], _TOP
    for panel in charted:
        y += _HEADING
        lines.append(f'<text class="heading" x="16" y="{y - 12}">{escape(panel.heading)}</text>')
        lines += _bars(panel, y)
        y += _ROW * len(panel.measures)
    height = y + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'role="img" aria-labelledby="title">'
    )
    return "\n".join(
        [
            head,
            f'  <title id="title">{escape(title)}</title>',
            f"  <style>{_STYLE}  </style>",
            f'  <text class="title" x="16" y="32">{escape(title)}</text>',
            f'  <text class="quiet" x="16" y="54">{escape(subtitle)}</text>',
            *(f"  {line}" for line in lines),
            "</svg>",
            "",
        ]
    )


def _bars(panel: Panel, top: int) -> Iterator[str]:
    scale = _BARS / (max(measure.high for measure in panel.measures) or 1)
    bottom = top + _ROW * len(panel.measures)
    yield f'<line class="axis" x1="{_LABELS}" y1="{top}" x2="{_LABELS}" y2="{bottom}"/>'
    for row, measure in enumerate(panel.measures):
        middle = top + row * _ROW + _ROW // 2
        label, value = escape(panel.label(measure)), escape(_value(measure))
        end = _LABELS + measure.high * scale
        yield f'<text x="{_LABELS - 10}" y="{middle + 4}" text-anchor="end">{label}</text>'
        yield (
            f'<rect class="bar" x="{_LABELS}" y="{middle - _BAR // 2}" width="{measure.median * scale:.1f}" '
            f'height="{_BAR}" rx="2"/>'
        )
        if measure.high > measure.low:
            start = _LABELS + measure.low * scale
            yield f'<line class="spread" x1="{start:.1f}" y1="{middle}" x2="{end:.1f}" y2="{middle}"/>'
        yield f'<text class="quiet" x="{end + 8:.1f}" y="{middle + 4}">{value}</text>'


def _value(measure: Measure) -> str:
    median = number(measure.median, measure.unit)
    if measure.high == measure.low:
        return median
    return f"{median} ({number(measure.low, measure.unit)} to {number(measure.high, measure.unit)})"
