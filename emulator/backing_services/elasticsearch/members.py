"""Reading the members of a clause: the known ones in their type, any other refused by name."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import parsing

_SHARE: Final = re.compile(r"(\d+)<(\d+)%")


def members(query: str, body: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the members of `body`. Raises ElasticsearchError when it is no object or has one that is not `known`."""
    if not isinstance(body, dict):
        raise parsing(f"[{query}] query malformed, no start_object after query name")
    for name in body:
        if name not in known:
            raise parsing(f"[{query}] query does not support [{name}]")
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


def minimum_should_match(value: Any, optional: int) -> int:
    """Return how many of `optional` clauses must match: a number, or `2<75%`, all of two and a share of more.

    Source: Elasticsearch 8.19 reference, "minimum_should_match parameter": a share is rounded down.
    """
    rule = _SHARE.fullmatch(str(value))
    if rule is None:
        return whole("bool", "minimum_should_match", value)
    return optional if optional <= int(rule[1]) else optional * int(rule[2]) // 100
