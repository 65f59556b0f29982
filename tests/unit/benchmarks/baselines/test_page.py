import json
from pathlib import Path

import pytest

from benchmarks.baselines import page
from benchmarks.measure import Measure, Section
from benchmarks.results import Run

RUN = Run("2026-11-26T12:00:00Z", "0123456789ab", False, "3.13.0", "3.13", "Linux x86_64", 2, 0.1, False)
STARTS = Section(
    "baselines-shopbot",
    "Cold starts of the shopbot",
    (
        Measure("GET /health · ours", "init", "ms", (200.0, 210.0, 190.0)),
        Measure("GET /health · ours", "processor", "ms", (99.0,)),
        Measure("GET /health · floor", "init", "ms", (60.0,)),
        Measure("GET /health · floor", "processor", "ms", (50.0,)),
    ),
    files={"imports-shopbot.svg": "<svg/>"},
)
RATIOS = Section("baselines-ratios", "Ratios", (Measure("GET /health, ours over baseline", "time", "x", (0.1,)),))
OTHER = Section("start", "Start", (Measure("make start", "wall", "s", (2.0,)),))


def test_the_tables_have_a_row_for_each_subject_and_a_column_for_each_quantity() -> None:
    text = page.tables(RUN, [OTHER, STARTS, RATIOS])
    assert "| Cold starts of the shopbot | init, ms | processor, ms |\n| --- | ---: | ---: |" in text
    assert "| GET /health · ours | 200 (190 to 210) | 99.0 (99.0 to 99.0) |" in text
    assert "| Ratios | time |\n| --- | ---: |\n| GET /health, ours over baseline | 0.10 (0.10 to 0.10) |" in text
    assert "make start" not in text


def test_the_page_keeps_what_stands_around_the_table() -> None:
    before = f"# Title\n{page.BEGIN}\nold\n{page.END}\nafter\n"
    replaced = page.replace(before, "new")
    assert replaced == f"# Title\n{page.BEGIN}\n\nnew\n\n{page.END}\nafter\n"
    assert page.replace(replaced, "new") == replaced
    with pytest.raises(ValueError, match="markers"):
        page.replace("# Title\n", "new")


def test_the_page_of_the_repository_has_its_markers() -> None:
    assert page.replace(page.PAGE.read_text(), "new")


def test_the_results_are_files_of_their_own(tmp_path: Path) -> None:
    page.write(tmp_path / "results", RUN, [OTHER, STARTS, RATIOS])
    kept = json.loads((tmp_path / "results" / "baselines.json").read_text())
    assert [section["name"] for section in kept["sections"]] == ["baselines-shopbot", "baselines-ratios"]
    assert (tmp_path / "results" / "imports-shopbot.svg").read_text() == "<svg/>"
    assert not (tmp_path / "results" / "latest.json").exists()
