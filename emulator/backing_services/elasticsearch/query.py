"""The query DSL: a clause and a snapshot in, the matching rows with their scores out.

Source: Elasticsearch 8.19 reference, "Query DSL". Scores are tantivy's BM25, not Lucene's to the digit; what combines
them (bool, dis_max, function_score) is Elasticsearch's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from emulator.backing_services.elasticsearch import text_query
from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument, parsing
from emulator.backing_services.elasticsearch.mapping import TEXTS
from emulator.backing_services.elasticsearch.members import members, minimum_should_match, number, one_field
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot

Clause = Callable[[Any, Snapshot], Scores]


def evaluate(query: Any, snapshot: Snapshot) -> Scores:
    """Return who matches. Raises ElasticsearchError, with the clause's name, for what the fake does not know."""
    if not isinstance(query, dict):
        raise parsing("[_na_] query malformed, must start with start_object")
    if not query:
        raise parsing("query malformed, empty clause found")
    name = next(iter(query))
    if len(query) > 1:
        raise parsing(f"[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]")
    if name not in _CLAUSES:
        raise parsing(f"unknown query [{name}]")
    return _CLAUSES[name](query[name], snapshot)


def _match_all(body: Any, snapshot: Snapshot) -> Scores:
    members("match_all", body, ())
    return dict.fromkeys(snapshot.all_rows(), 1.0)


def _bool(body: Any, snapshot: Snapshot) -> Scores:
    """Match what all of `must` and `filter`, enough of `should` and none of `must_not` do; must and should score."""
    given = members("bool", body, {"must", "should", "filter", "must_not", "minimum_should_match"})
    must, should, filters, must_not = (
        [evaluate(clause, snapshot) for clause in _clauses("bool", given.get(name, []), name)]
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
    # Without any clause it is a match_all; filters alone score nothing.
    base = 0.0 if must or should or filters or must_not else 1.0
    return {row: base + sum(scores.get(row, 0.0) for scores in (*must, *should)) for row in sorted(rows)}


def _dis_max(body: Any, snapshot: Snapshot) -> Scores:
    """Match what any of `queries` does, with its best score."""
    given = members("dis_max", body, {"queries"})
    if "queries" not in given:
        raise parsing("[dis_max] requires 'queries' field with at least one clause")
    clauses = _clauses("dis_max", given["queries"], "queries")
    return text_query.best_of([evaluate(clause, snapshot) for clause in clauses], 0.0)


def _function_score(body: Any, snapshot: Snapshot) -> Scores:
    """Match what `query` does, each score times what `field_value_factor` makes of a field of the document."""
    given = members("function_score", body, {"query", "field_value_factor"})
    if set(given) != {"query", "field_value_factor"}:
        raise parsing("[function_score] requires [query] and [field_value_factor] in the fake")
    factor = members("field_value_factor", given["field_value_factor"], {"field", "factor", "modifier", "missing"})
    name = str(factor.get("field"))
    field = snapshot.mapping.fields.get(name)
    if field is None or field.type in TEXTS:
        raise illegal_argument(f"field [{name}] is not numeric, [field_value_factor] needs a number")
    if factor.get("modifier") != "sqrt":
        raise parsing(f"[field_value_factor] does not support modifier [{factor.get('modifier')}] in the fake: sqrt")
    multiplier = number("field_value_factor", "factor", factor.get("factor", 1))

    def value(row: int) -> float:
        held = snapshot.values(row, name)
        if not held and "missing" not in factor:
            raise ElasticsearchError(400, "exception", f"Missing value for field [{name}]")
        raw = multiplier * float(held[0] if held else factor["missing"])
        if raw < 0:
            raise illegal_argument(f"field value function must not produce negative scores, but got: [{raw}]")
        return math.sqrt(raw)

    return {row: score * value(row) for row, score in evaluate(given["query"], snapshot).items()}


def _range(body: Any, snapshot: Snapshot) -> Scores:
    name, given = one_field("range", body, None, {"gte", "lte"})
    field = snapshot.mapping.fields.get(name)
    if field is None:
        return {}
    if field.type in TEXTS:
        raise parsing(f"[range] query does not support field [{name}] of type [{field.type}] in the fake")
    low, high = (
        number("range", bound, given.get(bound, default)) for bound, default in (("gte", -math.inf), ("lte", math.inf))
    )
    rows = snapshot.all_rows()
    return _scored(row for row in rows if any(low <= float(value) <= high for value in snapshot.values(row, name)))


def _term(body: Any, snapshot: Snapshot) -> Scores:
    """Match one exact value; a text scores by BM25."""
    name, given = one_field("term", body, "value", ())
    return _equal("term", name, given["value"], snapshot)


def _terms(body: Any, snapshot: Snapshot) -> Scores:
    """Match any of several exact values, all with the same score."""
    name, values = next(iter(body.items())) if isinstance(body, dict) and len(body) == 1 else ("", None)
    if not isinstance(values, list):
        raise parsing("[terms] query requires one field with a list of values")
    return _scored(row for value in values for row in _equal("terms", name, value, snapshot))


def _equal(query: str, name: str, value: Any, snapshot: Snapshot) -> Scores:
    field = snapshot.mapping.fields.get(name)
    if field is None:
        return {}
    if field.type not in TEXTS or not isinstance(value, str):
        raise parsing(f"[{query}] query does not support field [{name}] of type [{field.type}] in the fake: take text")
    return snapshot.terms(field, [(value, 1.0)])


def _scored(rows: Iterable[int]) -> Scores:
    return dict.fromkeys(sorted(set(rows)), 1.0)


def _clauses(query: str, given: Any, name: str) -> Collection[Any]:
    if isinstance(given, dict):
        return [given]
    if not isinstance(given, list):
        raise parsing(f"[{query}] query does not support a value for [{name}]")
    return given


_CLAUSES: Final[Mapping[str, Clause]] = {
    "bool": _bool,
    "dis_max": _dis_max,
    "function_score": _function_score,
    "match": text_query.match,
    "match_all": _match_all,
    "match_phrase": text_query.match_phrase,
    "multi_match": text_query.multi_match,
    "range": _range,
    "term": _term,
    "terms": _terms,
}
