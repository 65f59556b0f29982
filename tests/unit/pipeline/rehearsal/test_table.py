"""The table says what was made, and names what was not."""

from __future__ import annotations

from pipeline.rehearsal import table
from pipeline.rehearsal.comparison import Made, Row
from pipeline.rehearsal.deployed import IS_PLACEHOLDER


def test_the_screen_names_what_was_not_made() -> None:
    rows = [Row("Items", "T", "A", Made.YES), Row("Items", "T", "B", Made.NOT_EMULATED, "B.c")]
    assert table.by_resource(rows).splitlines()[1].strip() == "not emulated: B (B.c)"
    assert table.summary(rows) == "1 of 2 declared properties of 1 resources made, 1 not emulated"


def test_a_placeholder_is_one_line() -> None:
    rows = [Row("Group", "T", name, Made.NOT_EMULATED, IS_PLACEHOLDER) for name in ("A", "B")]
    assert [line.strip() for line in table.by_resource(rows).splitlines()[1:]] == [IS_PLACEHOLDER]
