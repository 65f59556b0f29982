import xml.etree.ElementTree as ET

from benchmarks.baselines.import_chart import Panel, heaviest, waterfall
from emulator.metrics.import_times import Import

SVG = "{http://www.w3.org/2000/svg}"
SDK = Import("sdk", 10, 40, (Import("sdk.client", 20, 30, (Import("http", 10, 10),)),))
APP = Import("app", 5, 5)


def drawn(*panels: Panel) -> ET.Element:
    return ET.fromstring(waterfall("Imports <of> an init", panels))


def bars(chart: ET.Element, kind: str) -> list[tuple[float, float]]:
    found = [bar for bar in chart.iter(f"{SVG}rect") if bar.attrib["class"] == kind]
    return [(float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in found]


def test_each_import_is_under_the_one_that_asked_for_it() -> None:
    rows = [(row.imported.module, row.start_ms, row.depth) for row in heaviest((SDK, APP))]
    assert rows == [("sdk", 0, 0), ("sdk.client", 0, 1), ("http", 0, 2), ("app", 40, 0)]


def test_the_lightest_are_left_out_and_never_one_that_is_above_another() -> None:
    light = tuple(Import(f"light{number}", 1, 1) for number in range(100))
    rows = heaviest((Import("heavy", 50, 150, (*light[:50], SDK, *light[50:])),))
    names = [row.imported.module for row in rows]
    assert names[0] == "heavy"
    assert {"sdk", "sdk.client", "http"} <= set(names)


def test_bars_begin_where_the_import_began_and_are_as_long_as_it_took() -> None:
    (sdk, client, http, app) = bars(drawn(Panel("after", (SDK, APP))), "total")
    assert sdk[0] == client[0] == http[0] < app[0]
    assert app[0] - sdk[0] == sdk[1]
    assert abs(sdk[1] / app[1] - 8) < 0.01


def test_the_own_time_ends_the_bar() -> None:
    chart = drawn(Panel("after", (SDK,)))
    for (start, width), (own_start, own_width) in zip(bars(chart, "total"), bars(chart, "own"), strict=True):
        assert abs(start + width - own_start - own_width) < 0.2
        assert own_width <= width + 0.1


def test_panels_share_one_scale() -> None:
    chart = drawn(Panel("before", (SDK,)), Panel("after", (APP,)))
    widths = [width for _, width in bars(chart, "total")]
    assert abs(widths[0] / widths[-1] - 8) < 0.01
    texts = [text.text for text in chart.iter(f"{SVG}text")]
    assert "before, 40 ms" in texts
    assert "after, 5 ms" in texts


def test_it_is_well_formed_whatever_the_names_are_and_holds_everything() -> None:
    deep = Import("m" * 200, 1, 1)
    for _ in range(40):
        deep = Import("package.module.of.a.long.name & more", 0, deep.total_ms + 1, (deep,))
    chart = drawn(Panel("<before>", (deep,)), Panel("empty", ()))
    width, height = float(chart.attrib["width"]), float(chart.attrib["height"])
    for text in chart.iter(f"{SVG}text"):
        assert float(text.attrib["y"]) < height
        assert float(text.attrib["x"]) < width
