import xml.etree.ElementTree as ET

from benchmarks.chart import Panel, panels, svg
from benchmarks.measure import Measure, Section

SVG = "{http://www.w3.org/2000/svg}"
FAST = Measure("a & b <c>", "wall", "s", (1.0,), charted=True)
SLOW = Measure("make start", "until Ready", "s", (3.0, 4.0, 5.0), charted=True)
SIZE = Measure("package", "zipped", "MB", (9.5,), charted=True)
HIDDEN = Measure("make start", "ratio", "x", (3.0,))


def drawn(*charted: Panel) -> ET.Element:
    return ET.fromstring(svg("The title", "The <subtitle>", charted))


def test_a_section_has_a_panel_for_each_unit_that_it_wants_charted() -> None:
    section = Section("start", "Start", (FAST, SIZE, SLOW, HIDDEN))
    assert panels([section]) == [Panel("Start", (FAST, SLOW)), Panel("Start", (SIZE,))]
    assert panels([Section("none", "None", (HIDDEN,))]) == []


def test_the_chart_is_well_formed_whatever_the_labels_say() -> None:
    texts = [text.text for text in drawn(Panel("P & Q", (FAST,))).iter(f"{SVG}text")]
    assert texts == ["The title", "The <subtitle>", "P & Q, wall (s)", "a & b <c>", "1.00"]


def test_a_single_quantity_is_in_the_heading_and_several_are_beside_the_bars() -> None:
    one, several = Panel("Start", (SLOW,)), Panel("Start", (FAST, SLOW))
    assert (one.heading, one.label(SLOW)) == ("Start, until Ready (s)", "make start")
    assert (several.heading, several.label(SLOW)) == ("Start (s)", "make start, until Ready")


def test_bars_share_the_scale_of_their_panel() -> None:
    widths = [float(bar.attrib["width"]) for bar in drawn(Panel("P", (FAST, SLOW))).iter(f"{SVG}rect")]
    assert abs(widths[1] / widths[0] - 4) < 0.01


def test_only_what_varies_has_a_spread() -> None:
    chart = drawn(Panel("P", (FAST, SLOW)))
    assert len([line for line in chart.iter(f"{SVG}line") if line.attrib["class"] == "spread"]) == 1
    assert "4.00 (3.00 to 5.00)" in [text.text for text in chart.iter(f"{SVG}text")]


def test_everything_is_inside_the_picture() -> None:
    chart = drawn(Panel("P", (FAST, SLOW)), Panel("Q", (SIZE,)))
    width, height = float(chart.attrib["width"]), float(chart.attrib["height"])
    assert all(float(text.attrib["y"]) < height for text in chart.iter(f"{SVG}text"))
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) < width for bar in chart.iter(f"{SVG}rect"))


def test_a_panel_of_zeros_can_be_drawn() -> None:
    zero = Measure("nothing", "wall", "s", (0.0,), charted=True)
    assert [bar.attrib["width"] for bar in drawn(Panel("P", (zero,))).iter(f"{SVG}rect")] == ["0.0"]


def test_it_is_named_for_screen_readers_and_follows_the_color_scheme() -> None:
    chart = drawn(Panel("P", (FAST,)))
    assert chart.attrib["role"] == "img"
    assert chart.findtext(f"{SVG}title") == "The title"
    assert "prefers-color-scheme: dark" in (chart.findtext(f"{SVG}style") or "")
