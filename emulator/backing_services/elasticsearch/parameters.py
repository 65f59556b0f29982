"""Reading the members of a clause: the known ones in their type, any other refused by name."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from emulator.backing_services.elasticsearch.errors import parsing, unknown_parameter
from emulator.backing_services.elasticsearch.snapshot import Scores


def members(query: str, body: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the members of `body`. Raises ElasticsearchError when it is no object or has one that is not `known`."""
    if not isinstance(body, dict):
        raise parsing(f"[{query}] query malformed, no start_object after query name")
    for name in body:
        if name not in known and name not in {"boost", "_name"}:
            raise unknown_parameter(query, name)
    if "_name" in body:
        raise unknown_parameter(query, "_name")
    return body


def one_field(query: str, body: Any, shorthand: str | None, known: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the field of a clause such as `{"term": {"brand": …}}` and its parameters; a bare value is `shorthand`."""
    if not isinstance(body, dict) or not body:
        raise parsing(f"[{query}] query malformed, no field name found")
    if len(body) > 1:
        raise parsing(f"[{query}] query doesn't support multiple fields, found {sorted(body)}")
    name, value = next(iter(body.items()))
    if shorthand is None:
        return name, members(query, value, known)
    parameters = members(query, value if isinstance(value, dict) else {shorthand: value}, {shorthand, *known})
    if shorthand not in parameters:
        raise parsing(f"[{query}] query for field [{name}] requires [{shorthand}]")
    return name, parameters


def number(query: str, name: str, value: Any) -> float:
    """Return a numeric parameter. Raises ElasticsearchError for anything else."""
    try:
        given = float(str(value))
    except ValueError:
        given = math.nan
    if math.isnan(given):
        raise parsing(f"[{query}] failed to parse field [{name}]: [{value}] is not a number")
    return given


def whole(query: str, name: str, value: Any) -> int:
    """Return a parameter that is a whole number from 0 to 2**31. Raises ElasticsearchError for anything else."""
    given = number(query, name, value)
    if not 0 <= given < 2**31 or given != int(given):
        raise parsing(f"[{query}] failed to parse field [{name}]: [{value}] is not a whole number from 0 on")
    return int(given)


def boosted(scores: Scores, body: dict[str, Any], query: str) -> Scores:
    """Return `scores` times the clause's `boost`."""
    boost = number(query, "boost", body.get("boost", 1))
    if boost < 0:
        raise parsing(f"[{query}] negative [boost] are not allowed, but was [{boost}]")
    return scores if boost == 1 else {row: score * boost for row, score in scores.items()}


def minimum_should_match(value: Any, optional: int) -> int:
    """Return how many of `optional` clauses must match.

    Source: Elasticsearch 8.19 reference, "minimum_should_match parameter": 2, -1, 75%, -25%, 2<-25% 9<-3.
    """
    text = str(value).strip()
    if "<" in text:
        required = optional
        for condition in text.split():
            above, _, rule = condition.partition("<")
            if optional <= _integer(above, text):
                return required
            required = minimum_should_match(rule, optional)
        return required
    if text.endswith("%"):
        share = _integer(text[:-1], text)
        # A share is rounded down, of what must match and of what may be missing alike.
        required = optional * share // 100 if share >= 0 else optional - optional * -share // 100
    else:
        count = _integer(text, text)
        required = count if count >= 0 else optional + count
    return max(0, required)


def _integer(text: str, whole: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise parsing(f"failed to parse [minimum_should_match]: [{whole}]") from None
