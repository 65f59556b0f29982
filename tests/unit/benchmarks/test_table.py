import pytest

from benchmarks.measure import Measure, Section
from benchmarks.table import aligned, number, section_text


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (4.614, "s", "4.61"),
        (3.3333, "x", "3.33"),
        (6.44, "ms", "6.4"),
        (-6.44, "ms", "-6.4"),
        (249.6, "ms", "250"),
        (26.84, "MB", "26.8"),
        (296.4, "requests/s", "296"),
        (0.0, "", "0"),
    ],
)
def test_a_number_has_the_decimals_of_its_unit(value: float, unit: str, expected: str) -> None:
    assert number(value, unit) == expected


def test_columns_are_aligned() -> None:
    assert aligned([["", "a"], ["name", "1.25"]]) == ["           a", "  name  1.25"]


def test_a_section_shows_median_min_and_max() -> None:
    section = Section("start", "Start", (Measure("make start", "sam", "s", (3.0, 1.0, 2.0)),), ("A note.",))
    assert section_text(section).splitlines() == [
        "Start",
        "                   median   min   max",
        "  make start, sam    2.00  1.00  3.00  s",
        "  A note.",
    ]


def test_a_single_value_has_no_min_and_max() -> None:
    section = Section("reload", "Reload", (Measure("GET /", "failed", "", (1.0,)),))
    assert section_text(section).splitlines()[-1] == "  GET /, failed       1"


def test_a_matrix_has_a_row_for_each_subject_and_leaves_gaps() -> None:
    measures = (
        Measure("shipped", "zipped", "MB", (9.5,)),
        Measure("shipped", "throughput", "requests/s", (51.0,)),
        Measure("bare", "zipped", "MB", (20.8,)),
    )
    section = Section("package", "Package", measures, is_matrix=True)
    assert section_text(section).splitlines() == [
        "Package",
        "           zipped MB  requests/s",
        "  shipped        9.5          51",
        "  bare          20.8",
    ]
