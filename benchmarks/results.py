"""The results as files: `latest.json`, `latest.svg`, and one line of medians for each run in `history.jsonl`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.chart import panels, svg
from benchmarks.measure import Measure, Section
from sam_template.repository import REPOSITORY

FOLDER = REPOSITORY / "benchmarks" / "results"
_TITLE = "Shop on SAM: the local loop"


@dataclass(frozen=True)
class Run:
    """Where and when it was measured. Nothing in it names the machine."""

    date: str
    commit: str
    is_dirty: bool
    python: str
    """The interpreter of `sam` and the engine."""
    function_python: str
    """The interpreter of the function."""
    system: str
    cores: int
    load_average: float
    """Of the last minute before the run: what else the machine was doing."""
    is_quick: bool

    @property
    def is_noisy(self) -> bool:
        """Tell whether the machine had other work."""
        return self.load_average > self.cores / 2

    @classmethod
    def now(cls, *, function_python: str, is_quick: bool) -> Run:
        """Return the run that begins on this machine at this commit."""
        commit = _git("rev-parse", "--short=12", "HEAD")
        return cls(
            date=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            commit=commit,
            is_dirty=bool(_git("status", "--porcelain", "--", ".", ":!benchmarks/results")) if commit else False,
            python=platform.python_version(),
            function_python=function_python,
            system=f"{platform.system()} {platform.machine()}",
            cores=os.cpu_count() or 1,
            load_average=round(os.getloadavg()[0], 2),
            is_quick=is_quick,
        )


def document(run: Run, sections: Sequence[Section], failures: Sequence[str]) -> dict[str, Any]:
    """Return what `latest.json` holds."""
    return {
        "run": asdict(run),
        "failures": list(failures),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "notes": list(section.notes),
                "measures": [_measure(measure) for measure in section.measures],
            }
            for section in sections
        ],
    }


def history_line(run: Run, sections: Sequence[Section]) -> str:
    """Return the run and its medians as one line of JSON."""
    medians = {
        f"{section.name} / {measure.subject} / {measure.quantity}": round(measure.median, 4)
        for section in sections
        for measure in section.measures
    }
    return json.dumps(asdict(run) | {"medians": medians}, ensure_ascii=False) + "\n"


def write(folder: Path, run: Run, sections: Sequence[Section], failures: Sequence[str]) -> None:
    """Write the three files into `folder`. The history only grows by runs in which nothing failed."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document(run, sections, failures), indent=2, ensure_ascii=False)
    (folder / "latest.json").write_text(f"{text}\n", encoding="utf-8")
    (folder / "latest.svg").write_text(svg(_TITLE, headline(run), panels(sections)), encoding="utf-8")
    if not failures:
        with (folder / "history.jsonl").open("a", encoding="utf-8") as history:
            history.write(history_line(run, sections))


def headline(run: Run) -> str:
    """Return the run as one line for a person."""
    commit = f"{run.commit or 'no commit'}{' with changes' if run.is_dirty else ''}"
    where = f"{run.cores} core{'s' if run.cores != 1 else ''}, {run.system}, Python {run.python}"
    return f"{run.date[:10]}, {commit}, {where}, load before {run.load_average}"


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "subject": measure.subject,
        "quantity": measure.quantity,
        "unit": measure.unit,
        "median": round(measure.median, 4),
        "min": round(measure.low, 4),
        "max": round(measure.high, 4),
        "values": [round(value, 4) for value in measure.values],
    }


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", *arguments]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
