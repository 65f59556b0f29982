"""Clauses over exact values.

Source: Elasticsearch 8.19 reference, "Term-level queries".
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any, Final

from emulator.backing_services.elasticsearch.compound import Evaluate
from emulator.backing_services.elasticsearch.errors import parsing
from emulator.backing_services.elasticsearch.mapping import TEXTS, Field
from emulator.backing_services.elasticsearch.parameters import boosted, members, one_field
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot
from emulator.backing_services.elasticsearch.values import Value, convert_query

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


def term(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match one exact value."""
    name, given = one_field("term", body, "value", ())
    field = snapshot.mapping.field(name)
    return boosted(equal_rows(field, given["value"], snapshot) if field else {}, given, "term")


def terms(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match any of several exact values, all with the same score."""
    given = members("terms", body, body if isinstance(body, dict) else ())
    names = [name for name in given if name != "boost"]
    if len(names) != 1 or not isinstance(given[names[0]], list):
        raise parsing("[terms] query requires one field with a list of values")
    field = snapshot.mapping.field(names[0])
    rows = {row for value in given[names[0]] for row in equal_rows(field, value, snapshot)} if field else set()
    return boosted(dict.fromkeys(sorted(rows), 1.0), given, "terms")


def prefix(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match values that begin with the given one."""
    name, given = one_field("prefix", body, "value", ())
    field = snapshot.mapping.field(name)
    if field is None:
        return {}
    if field.type != "keyword":
        raise parsing(f"[prefix] query does not support field [{name}] of type [{field.type}] in the fake")
    return boosted(_rows(snapshot, name, lambda value: str(value).startswith(str(given["value"]))), given, "prefix")


def in_range(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match values between bounds."""
    name, given = one_field("range", body, None, _COMPARISONS)
    field = snapshot.mapping.field(name)
    if field is None:
        return {}
    if field.type == "text":
        raise parsing(f"[range] query does not support field [{name}] of type [text] in the fake")
    bounds = [
        (_COMPARISONS[how], _bound(field, bound))
        for how, bound in given.items()
        if how in _COMPARISONS and bound is not None
    ]
    return boosted(_rows(snapshot, name, lambda value: all(holds(value, to) for holds, to in bounds)), given, "range")


def exists(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match documents with a value in a field."""
    given = members("exists", body, {"field"})
    if "field" not in given:
        raise parsing("[exists] must be provided with a [field]")
    return boosted(_rows(snapshot, str(given["field"]), lambda _: True), given, "exists")


def ids(body: Any, snapshot: Snapshot, _: Evaluate) -> Scores:
    """Match documents by their ids."""
    given = members("ids", body, {"values"})
    if not isinstance(given.get("values"), list):
        raise parsing("[ids] requires a list of [values]")
    rows = {snapshot.row_of[str(one)] for one in given["values"] if str(one) in snapshot.row_of}
    return boosted(dict.fromkeys(sorted(rows), 1.0), given, "ids")


def equal_rows(field: Field, value: Any, snapshot: Snapshot) -> Scores:
    """Return who has exactly this value; texts score by BM25, anything else scores 1."""
    wanted = convert_query(field.type, field.name, value)
    if field.type in TEXTS:
        return snapshot.terms(field, [(str(wanted), 1.0)])
    return _rows(snapshot, field.name, lambda held: held == wanted)


def _bound(field: Field, bound: Any) -> Value:
    # A bound of a whole number keeps its fraction: 2 is less than 2.5.
    return convert_query(
        "double" if field.type not in {"date", "keyword", "boolean"} else field.type, field.name, bound
    )


def _rows(snapshot: Snapshot, name: str, holds: Callable[[Value], bool]) -> Scores:
    return {row: 1.0 for row in snapshot.all_rows() if any(holds(value) for value in snapshot.values(row, name))}
