"""Clauses over analyzed text.

Source: Elasticsearch 8.19 reference, "Full text queries".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from emulator.backing_services.elasticsearch.analysis import analyzer
from emulator.backing_services.elasticsearch.errors import illegal_argument, parsing
from emulator.backing_services.elasticsearch.fuzziness import edits_for
from emulator.backing_services.elasticsearch.mapping import TEXTS, Field
from emulator.backing_services.elasticsearch.members import members, number, one_field, whole
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot

_MATCHING: Final = {"operator", "fuzziness", "prefix_length"}


def match(body: Any, snapshot: Snapshot) -> Scores:
    """Match the words of `query` in one field."""
    name, given = one_field("match", body, "query", _MATCHING)
    return _words("match", name, given, snapshot)


def match_phrase(body: Any, snapshot: Snapshot) -> Scores:
    """Match the words of `query` in one field, next to each other."""
    name, given = one_field("match_phrase", body, "query", ())
    return _phrase("match_phrase", name, given, snapshot)


def multi_match(body: Any, snapshot: Snapshot) -> Scores:
    """Match the words of `query` in several fields: the best field counts, plus `tie_breaker` times the others."""
    given = members("multi_match", body, {"query", "fields", "type", "tie_breaker", "boost", *_MATCHING})
    run = {"best_fields": _words, "phrase": _phrase}.get(str(given.get("type", "best_fields")))
    if run is None:
        raise parsing(f"[multi_match] query does not support type [{given['type']}] in the fake: best_fields, phrase")
    if "query" not in given or not isinstance(given.get("fields"), list):
        raise parsing("[multi_match] requires [query] and a list of [fields]")
    several = []
    for entry in given["fields"]:
        name, _, boost = str(entry).partition("^")
        if "*" in name:
            raise parsing(f"[multi_match] query does not support the wildcard [{name}] in the fake: name each field")
        several.append(_boosted(run("multi_match", name, given, snapshot), boost or 1))
    best = best_of(several, number("multi_match", "tie_breaker", given.get("tie_breaker", 0)))
    return _boosted(best, given.get("boost", 1))


def best_of(several: Sequence[Scores], tie_breaker: float) -> Scores:
    """Return for each row its best score, plus `tie_breaker` times the others."""
    combined: Scores = {}
    for row in sorted({row for scores in several for row in scores}):
        found = [scores[row] for scores in several if row in scores]
        best = max(found)
        combined[row] = best + tie_breaker * (sum(found) - best)
    return combined


def _words(query: str, name: str, given: dict[str, Any], snapshot: Snapshot) -> Scores:
    operator = str(given.get("operator", "or")).lower()
    if operator not in {"or", "and"}:
        raise illegal_argument(f"operator needs to be either or, OR, and, AND, but not [{operator}]")
    field = _field(query, name, given, snapshot)
    terms = analyzer(field.analyzer).analyze(given["query"]) if field else []
    if field is None or not terms:  # unmapped, or nothing but stop words
        return {}
    several = [_term(query, field, term, given, snapshot) for term in terms]
    required = len(several) if operator == "and" else 1
    return {
        row: score
        for row, score in best_of(several, 1.0).items()
        if sum(row in scores for scores in several) >= required
    }


def _term(query: str, field: Field, term: str, given: dict[str, Any], snapshot: Snapshot) -> Scores:
    edits = edits_for(given["fuzziness"], term) if "fuzziness" in given else 0
    if not edits:
        return snapshot.terms(field, [(term, 1.0)])
    prefix_length = whole(query, "prefix_length", given.get("prefix_length", 0))
    return snapshot.terms(field, snapshot.similar_terms(field, term, edits, prefix_length))


def _phrase(query: str, name: str, given: dict[str, Any], snapshot: Snapshot) -> Scores:
    field = _field(query, name, given, snapshot)
    if field is None:
        return {}
    tokens = analyzer(field.analyzer).pre_tokenize(given["query"]).tokens
    return snapshot.phrase(field, [(token.position, token.text) for token in tokens])


def _field(query: str, name: str, given: dict[str, Any], snapshot: Snapshot) -> Field | None:
    """Return the field, None when it is not mapped: it matches nothing then, as in Elasticsearch."""
    if not isinstance(given["query"], str):
        raise parsing(f"[{query}] unknown token [{type(given['query']).__name__}] after [query]")
    field = snapshot.mapping.fields.get(name)
    if field is not None and field.type not in TEXTS:
        raise parsing(f"[{query}] query does not support field [{name}] of type [{field.type}] in the fake")
    return field


def _boosted(scores: Scores, boost: Any) -> Scores:
    factor = number("multi_match", "boost", boost)
    if factor < 0:
        raise parsing(f"[multi_match] negative [boost] are not allowed, but was [{factor}]")
    return {row: score * factor for row, score in scores.items()}
