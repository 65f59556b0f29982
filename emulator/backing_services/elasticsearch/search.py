"""A search request: its query, and which of the hits are shown in which order.

Source: Elasticsearch 8.19 reference, "Search API", "Paginate search results", "Sort search results",
"The _source option".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import ShardError, illegal_argument, parsing
from emulator.backing_services.elasticsearch.parameters import number, whole
from emulator.backing_services.elasticsearch.query import evaluate
from emulator.backing_services.elasticsearch.snapshot import Document, Snapshot

_KNOWN: Final = {"query", "from", "size", "sort", "_source", "track_total_hits", "track_scores", "min_score", "timeout"}
_WINDOW: Final = 10_000  # index.max_result_window, and what is counted exactly by default
_SCORE: Final = "_score"
_ROW: Final = "_doc"


@dataclass
class _Hit:
    document: Document
    score: float
    row: int
    snapshot: Snapshot
    sort: list[Any] = field(default_factory=list)


def search(snapshots: Sequence[Snapshot], body: Any) -> dict[str, Any]:
    """Return the answer to `body` over the snapshots. Raises ElasticsearchError for what is not supported."""
    started = time.perf_counter()
    given = _checked(body, _KNOWN)
    offset, size = _count(given, "from", 0), _count(given, "size", 10)
    if offset + size > _WINDOW:
        raise ShardError(
            *(400, "illegal_argument_exception"),
            f"Result window is too large, from + size must be less than or equal to: [{_WINDOW}] but was "
            f"[{offset + size}]",
        )
    keys = _sort_keys(given.get("sort", []), snapshots)
    shown = _source_filter(given.get("_source", True))
    hits = _hits(snapshots, given)
    best = max((hit.score for hit in hits), default=None)
    if keys:
        for hit in hits:
            hit.sort = [key.value(hit) for key in keys]
        for position, key in reversed(list(enumerate(keys))):
            hits.sort(key=key.order(position), reverse=key.descending)
        by_score = any(key.name == _SCORE for key in keys)
        best = best if by_score or given.get("track_scores") else None
    else:
        hits.sort(key=lambda hit: -hit.score)
        by_score = True
    answer: dict[str, Any] = {"took": 0, "timed_out": False, "_shards": shards(len(snapshots))}
    answer["hits"] = _total(given.get("track_total_hits", _WINDOW), len(hits)) | {
        "max_score": best,
        "hits": [_shown(hit, shown, keys, by_score) for hit in hits[offset : offset + size]],
    }
    answer["took"] = round((time.perf_counter() - started) * 1000)
    return answer


def count(snapshots: Sequence[Snapshot], body: Any) -> dict[str, Any]:
    """Return how many documents match the `query` of `body`."""
    given = _checked(body, {"query"})
    return {"count": len(_hits(snapshots, given)), "_shards": shards(len(snapshots))}


def shards(number: int) -> dict[str, int]:
    """Return what an answer says of the shards: one for each index, and none failed."""
    return {"total": number, "successful": number, "skipped": 0, "failed": 0}


def _checked(body: Any, known: set[str]) -> dict[str, Any]:
    given = {} if body is None else body
    if not isinstance(given, dict):
        raise parsing("Expected [START_OBJECT] but found something else")
    for name in given:
        if name not in known:
            raise parsing(f"unknown key [{name}] in the search request: the fake does not support it")
    return given


def _hits(snapshots: Sequence[Snapshot], given: dict[str, Any]) -> list[_Hit]:
    query = given.get("query", {"match_all": {}})
    least = number("search", "min_score", given.get("min_score", 0))
    try:
        return [
            _Hit(snapshot.documents[row], score, row, snapshot)
            for snapshot in snapshots
            for row, score in sorted(evaluate(query, snapshot).items())
            if score >= least
        ]
    except RecursionError:
        raise illegal_argument("The nested depth of the query exceeds the maximum nested depth") from None


def _count(given: dict[str, Any], name: str, default: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise parsing(f"Unknown key for a VALUE in [{name}]: it takes a whole number")
    if value < 0:
        raise illegal_argument(f"[{name}] parameter cannot be negative but was [{value}]")
    return value


def _total(track: Any, found: int) -> dict[str, Any]:
    if track is False:
        return {}
    most = found if track is True else whole("search", "track_total_hits", track)
    return {"total": {"value": min(found, most), "relation": "eq" if found <= most else "gte"}}


@dataclass(frozen=True)
class _SortKey:
    name: str
    descending: bool
    missing_last: bool

    def value(self, hit: _Hit) -> Any:
        """Return what the hit is sorted by: of several values the least, or the greatest when descending."""
        if self.name == _SCORE:
            return hit.score
        if self.name == _ROW:
            return hit.row
        held = hit.snapshot.values(hit.row, self.name)
        return (max(held) if self.descending else min(held)) if held else None

    def order(self, position: int) -> Callable[[_Hit], tuple[int, Any]]:
        """Return what to sort hits by, when their value for this key stands at `position`."""
        absent = 1 if self.missing_last != self.descending else -1

        def key(hit: _Hit) -> tuple[int, Any]:
            value = hit.sort[position]
            return (absent, 0) if value is None else (0, value)

        return key


def _sort_keys(given: Any, snapshots: Sequence[Snapshot]) -> list[_SortKey]:
    keys = []
    for entry in given if isinstance(given, list) else [given]:
        name, how = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, {})
        if not isinstance(name, str):
            raise parsing(f"malformed sort [{entry}]: take a field or an object with one field")
        options = {"order": how} if isinstance(how, str) else how
        if not isinstance(options, dict):
            raise parsing(f"malformed sort on [{name}]: take an order or an object")
        for option in options:
            if option not in {"order", "missing"}:
                raise parsing(f"sort on [{name}] does not support [{option}] in the fake")
        order = str(options.get("order", "desc" if name == _SCORE else "asc")).lower()
        missing = options.get("missing", "_last")
        if order not in {"asc", "desc"} or missing not in {"_first", "_last"}:
            raise parsing(f"sort on [{name}] does not support order [{order}], missing [{missing}]")
        for snapshot in snapshots:
            _check_sortable(name, snapshot)
        keys.append(_SortKey(name, order == "desc", missing == "_last"))
    return keys


def _check_sortable(name: str, snapshot: Snapshot) -> None:
    if name in {_SCORE, _ROW}:
        return
    mapped = snapshot.mapping.field(name)
    if mapped is None:
        raise ShardError(
            400, "query_shard_exception", f"No mapping found for [{name}] in order to sort on", index=snapshot.name
        )
    if mapped.type == "text":
        raise ShardError(
            *(400, "illegal_argument_exception"),
            f"Fielddata is disabled on [{name}] in [{snapshot.name}]. Text fields are not optimised for operations "
            "that require per-document field data like aggregations and sorting, so these operations are disabled by "
            "default. Please use a keyword field instead.",
        )


def _source_filter(given: Any) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """Return what cuts a document down to what `_source` asks for, None for no document at all."""
    if given is False:
        return None
    if given is True:
        return lambda source: source
    spec = given if isinstance(given, dict) else {"includes": given}
    if set(spec) - {"includes", "excludes", "include", "exclude"}:
        raise parsing(f"Unknown key for a VALUE in [_source]: {sorted(spec)}")
    includes = _patterns(spec.get("includes", spec.get("include", [])))
    excludes = _patterns(spec.get("excludes", spec.get("exclude", [])))

    def kept(source: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value
            for name, value in source.items()
            if (not includes or any(fnmatchcase(name, one) for one in includes))
            and not any(fnmatchcase(name, one) for one in excludes)
        }

    return kept


def _patterns(given: Any) -> list[str]:
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        raise parsing("Expected one of [VALUE_STRING] or [START_ARRAY] in [_source]")
    if any("." in one for one in patterns):
        raise parsing(f"[_source] does not support a path inside an object in the fake: {patterns}")
    return patterns


def _shown(
    hit: _Hit,
    shown: Callable[[dict[str, Any]], dict[str, Any]] | None,
    keys: Sequence[_SortKey],
    by_score: bool,
) -> dict[str, Any]:
    entry: dict[str, Any] = {"_index": hit.document.index, "_id": hit.document.identifier}
    entry["_score"] = hit.score if by_score else None
    if shown is not None:
        entry["_source"] = shown(hit.document.source)
    return entry | ({"sort": hit.sort} if keys else {})
