"""The query DSL: a clause and a snapshot in, the matching rows with their scores out.

Source: Elasticsearch 8.19 reference, "Query DSL". Scores are tantivy's BM25, not Lucene's to the digit; what combines
them (bool, boosts, function_score) is Elasticsearch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.backing_services.elasticsearch import compound, full_text, function_score, term_level
from emulator.backing_services.elasticsearch.errors import parsing
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot

_CLAUSES: Final[Mapping[str, Callable[[Any, Snapshot, compound.Evaluate], Scores]]] = {
    "bool": compound.boolean,
    "constant_score": compound.constant_score,
    "dis_max": compound.disjunction_max,
    "exists": term_level.exists,
    "function_score": function_score.function_score,
    "ids": term_level.ids,
    "match": full_text.match,
    "match_all": compound.match_all,
    "match_none": compound.match_none,
    "match_phrase": full_text.match_phrase,
    "multi_match": full_text.multi_match,
    "prefix": term_level.prefix,
    "range": term_level.in_range,
    "term": term_level.term,
    "terms": term_level.terms,
}


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
    return _CLAUSES[name](query[name], snapshot, evaluate)
