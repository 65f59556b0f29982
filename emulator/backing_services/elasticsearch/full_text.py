"""Clauses over analyzed text.

Source: Elasticsearch 8.19 reference, "Full text queries".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from emulator.backing_services.elasticsearch.analysis import analyzer
from emulator.backing_services.elasticsearch.compound import Evaluate, best_of
from emulator.backing_services.elasticsearch.errors import illegal_argument, parsing
from emulator.backing_services.elasticsearch.fuzziness import edits_for
from emulator.backing_services.elasticsearch.mapping import TEXTS, Field
from emulator.backing_services.elasticsearch.parameters import (
    boosted,
    members,
    minimum_should_match,
    number,
    one_field,
    whole,
)
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot
from emulator.backing_services.elasticsearch.term_level import equal_rows

_MATCHING: Final = {
    "operator",
    "minimum_should_match",
    "fuzziness",
    "prefix_length",
    "max_expansions",
    "zero_terms_query",
    "lenient",
}
_TYPES: Final = {"best_fields", "most_fields", "phrase"}


def match(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match the words of `query` in one field."""
    name, given = one_field("match", body, "query", _MATCHING)
    return boosted(_words("match", snapshot.mapping.field(name), given, snapshot), given, "match")


def match_phrase(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match the words of `query` in one field, next to each other."""
    name, given = one_field("match_phrase", body, "query", {"slop"})
    return boosted(_phrase("match_phrase", snapshot.mapping.field(name), given, snapshot), given, "match_phrase")


def multi_match(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match the words of `query` in several fields: the best field counts, or with most_fields all of them."""
    given = members("multi_match", body, {"query", "fields", "type", "tie_breaker", "slop", *_MATCHING})
    kind = str(given.get("type", "best_fields"))
    if kind not in _TYPES:
        raise parsing(f"[multi_match] query does not support type [{kind}] in the fake: {', '.join(sorted(_TYPES))}")
    if "query" not in given or not isinstance(given.get("fields"), list):
        raise parsing("[multi_match] requires [query] and a list of [fields]")
    run: Callable[[str, Field | None, dict[str, Any], Snapshot], Scores] = _phrase if kind == "phrase" else _words
    several = []
    for entry in given["fields"]:
        name, *boost = str(entry).split("^")
        if "*" in name:
            raise parsing(f"[multi_match] query does not support the wildcard [{name}] in the fake: name each field")
        scores = run("multi_match", snapshot.mapping.field(name), given, snapshot)
        several.append(boosted(scores, {"boost": boost[0] if boost else 1}, "multi_match"))
    tie_breaker = number("multi_match", "tie_breaker", given.get("tie_breaker", 1.0 if kind == "most_fields" else 0.0))
    return boosted(best_of(several, tie_breaker), given, "multi_match")


def _words(query: str, field: Field | None, given: dict[str, Any], snapshot: Snapshot) -> Scores:
    text = _text(query, given["query"])
    # An unmapped field matches nothing, as in Elasticsearch, but what is wrong with the clause is still said.
    operator = str(given.get("operator", "or")).lower()
    if operator not in {"or", "and"}:
        raise illegal_argument(f"operator needs to be either or, OR, and, AND, but not [{operator}]")
    if field is None:
        return {}
    if field.type not in TEXTS:
        return equal_rows(field, text, snapshot)
    terms = analyzer(field.search_analyzer).analyze(text)
    if not terms:
        return _without_terms(given, snapshot)
    several = [_term(field, term, given, snapshot, query) for term in terms]
    default = len(several) if operator == "and" else 1
    required = max(1, minimum_should_match(given.get("minimum_should_match", default), len(several)))
    return {
        row: score
        for row, score in best_of(several, 1.0).items()
        if sum(row in scores for scores in several) >= required
    }


def _term(field: Field, term: str, given: dict[str, Any], snapshot: Snapshot, query: str) -> Scores:
    edits = edits_for(given["fuzziness"], term) if "fuzziness" in given else 0
    if not edits:
        return snapshot.terms(field, [(term, 1.0)])
    prefix_length = whole(query, "prefix_length", given.get("prefix_length", 0))
    most = whole(query, "max_expansions", given.get("max_expansions", 50))
    return snapshot.terms(field, snapshot.similar_terms(field, term, edits, prefix_length, most))


def _without_terms(given: dict[str, Any], snapshot: Snapshot) -> Scores:
    """Return what nothing but stop words matches: nothing, or everything."""
    if str(given.get("zero_terms_query", "none")).lower() == "all":
        return dict.fromkeys(snapshot.all_rows(), 1.0)
    return {}


def _phrase(query: str, field: Field | None, given: dict[str, Any], snapshot: Snapshot) -> Scores:
    text = _text(query, given["query"])
    slop = whole(query, "slop", given.get("slop", 0))
    if field is None:
        return {}
    if field.type not in TEXTS:
        return equal_rows(field, text, snapshot)
    tokens = analyzer(field.search_analyzer).pre_tokenize(text).tokens
    return snapshot.phrase(field, [(token.position, token.text) for token in tokens], slop)


def _text(query: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        raise parsing(f"[{query}] unknown token [{type(value).__name__}] after [query]")
    return str(value).lower() if isinstance(value, bool) else str(value)
