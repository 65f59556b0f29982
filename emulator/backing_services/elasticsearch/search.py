"""A search request: its query, and which of the hits are shown.

Source: Elasticsearch 8.19 reference, "Search API", "Count API", "The _source option".
"""

from __future__ import annotations

import time
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import illegal_argument, parsing
from emulator.backing_services.elasticsearch.index import Index
from emulator.backing_services.elasticsearch.members import whole
from emulator.backing_services.elasticsearch.query import evaluate
from emulator.backing_services.elasticsearch.snapshot import Scores

_KNOWN: Final = {"query", "size", "_source", "track_total_hits"}
_WINDOW: Final = 10_000  # index.max_result_window, and what is counted exactly by default
SHARDS: Final = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}


def search(index: Index, body: Any) -> dict[str, Any]:
    """Return the response to `body`. Raises ElasticsearchError for what is not supported."""
    started = time.perf_counter()
    given = _checked(body, _KNOWN)
    size = whole("search", "size", given.get("size", 10))
    if size > _WINDOW:
        raise illegal_argument(f"Result window is too large, size must be less than or equal to: [{_WINDOW}]")
    fields = given.get("_source")
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):
        raise parsing("[_source] takes a list of fields in the fake")
    if given.get("track_total_hits", True) is not True:
        raise parsing("[track_total_hits] takes true in the fake")
    documents = index.snapshot.documents
    scores = _scores(index, given)
    best = sorted(scores.items(), key=lambda hit: (-hit[1], hit[0]))
    hits = [
        {
            "_index": index.name,
            "_id": documents[row].identifier,
            "_score": score,
            "_source": {
                name: value for name, value in documents[row].source.items() if fields is None or name in fields
            },
        }
        for row, score in best[:size]
    ]
    # Who does not ask for more gets an exact total up to the window.
    counted = len(scores) if "track_total_hits" in given else min(len(scores), _WINDOW)
    total = {"value": counted, "relation": "eq" if counted == len(scores) else "gte"}
    took = round((time.perf_counter() - started) * 1000)
    found = {"total": total, "max_score": best[0][1] if best else None, "hits": hits}
    return {"took": took, "timed_out": False, "_shards": SHARDS, "hits": found}


def count(index: Index, body: Any) -> dict[str, Any]:
    """Return how many documents match the `query` of `body`."""
    return {"count": len(_scores(index, _checked(body, {"query"}))), "_shards": SHARDS}


def _checked(body: Any, known: set[str]) -> dict[str, Any]:
    given = {} if body is None else body
    if not isinstance(given, dict):
        raise parsing("Expected [START_OBJECT] but found something else")
    for name in given:
        if name not in known:
            raise parsing(f"unknown key [{name}] in the search request: the fake does not support it")
    return given


def _scores(index: Index, given: dict[str, Any]) -> Scores:
    try:
        return evaluate(given.get("query", {"match_all": {}}), index.snapshot)
    except RecursionError:
        raise illegal_argument("The nested depth of the query exceeds the maximum nested depth") from None
