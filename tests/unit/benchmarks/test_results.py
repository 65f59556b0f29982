import json
from pathlib import Path

from benchmarks.measure import Measure, Section
from benchmarks.results import Run, document, headline, history_line, write

RUN = Run(
    date="2026-11-21T21:00:00Z",
    commit="327e7d079d04",
    is_dirty=False,
    python="3.13.0",
    function_python="3.13",
    system="Linux x86_64",
    cores=2,
    load_average=0.4,
    is_quick=False,
)
SECTIONS = [Section("start", "Start", (Measure("make start", "until Ready", "s", (4.0, 3.0, 5.00004), charted=True),))]


def test_the_document_holds_every_value() -> None:
    (section,) = document(RUN, SECTIONS, [])["sections"]
    assert section["measures"] == [
        {
            "subject": "make start",
            "quantity": "until Ready",
            "unit": "s",
            "median": 4.0,
            "min": 3.0,
            "max": 5.0,
            "values": [4.0, 3.0, 5.0],
        }
    ]


def test_the_history_has_the_run_and_its_medians_on_one_line() -> None:
    line = history_line(RUN, SECTIONS)
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    entry = json.loads(line)
    assert entry["medians"] == {"start / make start / until Ready": 4.0}
    assert (entry["date"], entry["commit"], entry["python"], entry["cores"]) == (RUN.date, RUN.commit, RUN.python, 2)


def test_the_latest_replaces_and_the_history_grows(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    write(folder, RUN, SECTIONS, [])
    write(folder, RUN, SECTIONS, [])
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2
    assert json.loads((folder / "latest.json").read_text())["run"]["commit"] == RUN.commit
    assert (folder / "latest.svg").read_text().startswith("<svg ")


def test_a_run_with_a_failure_is_told_and_stays_out_of_the_history(tmp_path: Path) -> None:
    write(tmp_path, RUN, SECTIONS, ["reload: No answer showed a change within 20 s."])
    assert json.loads((tmp_path / "latest.json").read_text())["failures"]
    assert not (tmp_path / "history.jsonl").exists()


def test_the_headline_says_where_it_was_measured() -> None:
    assert headline(RUN) == "2026-11-21, 327e7d079d04, 2 cores, Linux x86_64, Python 3.13.0, load before 0.4"


def test_a_busy_machine_is_noisy() -> None:
    assert not RUN.is_noisy
    assert Run(**{**RUN.__dict__, "load_average": 1.5}).is_noisy


def test_a_run_knows_its_machine_and_date() -> None:
    run = Run.now(function_python="3.13", is_quick=True)
    assert run.cores >= 1
    assert run.date.endswith("Z")
