"""Clauses made of clauses.

Source: Elasticsearch 8.19 reference, "Compound queries".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from emulator.backing_services.elasticsearch.errors import parsing
from emulator.backing_services.elasticsearch.parameters import boosted, members, minimum_should_match, number
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot

Evaluate = Callable[[Any, Snapshot], Scores]


def match_all(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match everything, with the same score."""
    return boosted(dict.fromkeys(snapshot.all_rows(), 1.0), members("match_all", body, ()), "match_all")


def match_none(body: Any, _: Snapshot, __: Evaluate) -> Scores:
    """Match nothing."""
    members("match_none", body, ())
    return {}


def boolean(body: Any, snapshot: Snapshot, evaluate: Evaluate) -> Scores:
    """Match what all of `must` and `filter`, enough of `should` and none of `must_not` do; must and should score."""
    given = members("bool", body, {"must", "should", "filter", "must_not", "minimum_should_match"})
    must, should, filters, must_not = (
        [evaluate(clause, snapshot) for clause in _clauses(given.get(name, []), name)]
        for name in ("must", "should", "filter", "must_not")
    )
    rows = set(snapshot.all_rows())
    for scores in (*must, *filters):
        rows &= scores.keys()
    for scores in must_not:
        rows -= scores.keys()
    # Alone, one of the optional clauses has to match.
    default = 1 if should and not must and not filters else 0
    required = minimum_should_match(given.get("minimum_should_match", default), len(should))
    if required:
        matched = Counter(row for scores in should for row in scores)
        rows = {row for row in rows if matched[row] >= required}
    scoring = [*must, *should]
    # Without any clause it is a match_all; filters alone score nothing.
    base = 0.0 if scoring or filters or must_not else 1.0
    combined = {row: base + sum(scores.get(row, 0.0) for scores in scoring) for row in sorted(rows)}
    return boosted(combined, given, "bool")


def constant_score(body: Any, snapshot: Snapshot, evaluate: Evaluate) -> Scores:
    """Match what `filter` does, with `boost` as the score."""
    given = members("constant_score", body, {"filter"})
    if "filter" not in given:
        raise parsing("[constant_score] requires a 'filter' element")
    return boosted(dict.fromkeys(evaluate(given["filter"], snapshot), 1.0), given, "constant_score")


def disjunction_max(body: Any, snapshot: Snapshot, evaluate: Evaluate) -> Scores:
    """Match what any of `queries` does, with its best score."""
    given = members("dis_max", body, {"queries", "tie_breaker"})
    if "queries" not in given:
        raise parsing("[dis_max] requires 'queries' field with at least one clause")
    scores = [evaluate(clause, snapshot) for clause in _clauses(given["queries"], "queries")]
    return boosted(best_of(scores, number("dis_max", "tie_breaker", given.get("tie_breaker", 0))), given, "dis_max")


def best_of(several: list[Scores], tie_breaker: float) -> Scores:
    """Return for each row its best score, plus `tie_breaker` times the others."""
    combined: Scores = {}
    for row in sorted({row for scores in several for row in scores}):
        found = [scores[row] for scores in several if row in scores]
        best = max(found)
        combined[row] = best + tie_breaker * (sum(found) - best)
    return combined


def _clauses(given: Any, name: str) -> list[Any]:
    if isinstance(given, dict):
        return [given]
    if not isinstance(given, list):
        raise parsing(f"[bool] query does not support a value for [{name}]")
    return given
