"""What the matrix of faults is made of: which faults of which backing services meet which requests, as one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from sam_template.repository import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "faults.md"
BEGIN, END = "<!-- begin: written by a test -->", "<!-- end -->"

# Milliseconds, before they are scaled: an answer that comes just before the time-out of its call.
SLOW: Final = {"anthropic": 15_000, "dynamodb": 1_600, "elasticsearch": 4_000, "redis": 700, "secretsmanager": 1_600}
ERRORS: Final[Mapping[str, Sequence[str]]] = {
    "anthropic": ("529", "400", "401", "402", "403", "404", "413"),
    "dynamodb": ("500", "400"),
    "elasticsearch": ("503", "404", "401"),
    "redis": ("READONLY", "LOADING"),
    "secretsmanager": ("500", "400"),
}
SERVICES: Final = tuple(ERRORS)

ROUTES: Final = (
    *("POST /chat", "POST /products/search", "GET /chat/{id}", "DELETE /chat/{id}", "POST /reset"),
    "GET /health/ready",
)
UNTOUCHED: Final = ("GET /health", "GET /chat/ui")
"""Routes that touch no backing service."""
PAIRED_ROUTES: Final = ROUTES[:2]
PAIRED_FAULTS: Final = (("stall", "stall"), ("slow", "stall"), ("stall", "slow"), ("refuse", "error"))


@dataclass(frozen=True)
class Cell:
    """One request while each backing service of `faults` has its fault: `refuse`, `stall`, `slow` or `error:CODE`."""

    faults: tuple[tuple[str, str], ...]
    route: str


@dataclass(frozen=True)
class Outcome:
    """What became of a request: `answer` as the page shows it, and the times in seconds, scaled back.

    `recovery` is in real seconds: how long after the end of the faults an answer was whole again.
    """

    answer: str
    seconds: float
    recovery: float
    mistakes: tuple[str, ...]


def singles() -> list[Cell]:
    """Return each backing service with each fault for each route."""
    touched = [Cell(((name, fault),), route) for name in SERVICES for fault in _faults(name) for route in ROUTES]
    return [*touched, *(Cell(((name, "stall"),), route) for name in SERVICES for route in UNTOUCHED)]


def pairs() -> list[Cell]:
    """Return all pairs of backing services, with the faults that take longest and one mixture."""
    return [
        Cell(((one, _of(one, first)), (other, _of(other, second))), route)
        for one, other in combinations(SERVICES, 2)
        for first, second in PAIRED_FAULTS
        for route in PAIRED_ROUTES
    ]


def page(outcomes: Mapping[Cell, Outcome]) -> str:
    """Return the tables for the page."""
    one = _table(
        ("backing service", "fault", *ROUTES),
        (
            (name, fault, *(outcomes[Cell(((name, fault),), route)].answer for route in ROUTES))
            for name in SERVICES
            for fault in _faults(name)
        ),
    )
    rows = dict.fromkeys(cell.faults for cell in pairs())
    two = _table(
        ("backing service", "fault", "backing service", "fault", *PAIRED_ROUTES),
        (
            (*faults[0], *faults[1], *(outcomes[Cell(faults, route)].answer for route in PAIRED_ROUTES))
            for faults in rows
        ),
    )
    return f"## One backing service\n\n{one}\n\n## Two backing services\n\n{two}\n"


def expected() -> dict[Cell, str]:
    """Return the answers of the committed page."""
    one, _, two = committed().partition("## Two backing services")
    answers: dict[Cell, str] = {}
    for name, fault, *given in _rows(one):
        answers |= {Cell(((name, fault),), route): answer for route, answer in zip(ROUTES, given, strict=False)}
    for one_name, one_fault, other_name, other_fault, *given in _rows(two):
        faults = ((one_name, one_fault), (other_name, other_fault))
        answers |= {Cell(faults, route): answer for route, answer in zip(PAIRED_ROUTES, given, strict=True)}
    return answers


def committed() -> str:
    """Return the tables of the committed page."""
    return PAGE.read_text(encoding="utf-8").partition(f"{BEGIN}\n")[2].partition(END)[0]


def write(tables: str) -> None:
    """Put `tables` into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{tables}{END}{after}", encoding="utf-8")


def _faults(name: str) -> list[str]:
    return ["refuse", "stall", "slow", *(f"error:{code}" for code in ERRORS[name])]


def _of(name: str, kind: str) -> str:
    return f"error:{ERRORS[name][0]}" if kind == "error" else kind


def _rows(table: str) -> list[list[str]]:
    """Return the cells of the rows of `table` that follow its head."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return lines[2:]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
