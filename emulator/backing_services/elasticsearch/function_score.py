"""Scores changed by what a document holds.

Source: Elasticsearch 8.19 reference, "Function score query".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from emulator.backing_services.elasticsearch.compound import Evaluate
from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument, parsing
from emulator.backing_services.elasticsearch.parameters import boosted, members, number
from emulator.backing_services.elasticsearch.snapshot import Scores, Snapshot

_MODIFIERS: Final[Mapping[str, Callable[[float], float]]] = {
    "none": lambda value: value,
    "log": math.log10,
    "log1p": lambda value: math.log10(value + 1),
    "log2p": lambda value: math.log10(value + 2),
    "ln": math.log,
    "ln1p": math.log1p,
    "ln2p": lambda value: math.log(value + 2),
    "square": lambda value: value * value,
    "sqrt": math.sqrt,
    "reciprocal": lambda value: 1 / value,
}
_COMBINATIONS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "multiply": math.prod,
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "first": lambda values: values[0],
    "max": max,
    "min": min,
}
_BOOST_MODES: Final[Mapping[str, Callable[[float, float], float]]] = {
    "multiply": lambda score, function: score * function,
    "replace": lambda _, function: function,
    "sum": lambda score, function: score + function,
    "avg": lambda score, function: (score + function) / 2,
    "max": max,
    "min": min,
}
_Found = TypeVar("_Found")
_FUNCTIONS: Final = {"weight", "field_value_factor"}


def function_score(body: Any, snapshot: Snapshot, evaluate: Evaluate) -> Scores:
    """Match what `query` does, its score combined with those of the functions whose `filter` it passes."""
    known = {"query", "functions", "score_mode", "boost_mode", "max_boost", "min_score", *_FUNCTIONS}
    given = members("function_score", body, known)
    scores = evaluate(given.get("query", {"match_all": {}}), snapshot)
    functions = [_function(entry, snapshot, evaluate) for entry in _entries(given)]
    combine = _choice("score_mode", given.get("score_mode", "multiply"), _COMBINATIONS)
    apply = _choice("boost_mode", given.get("boost_mode", "multiply"), _BOOST_MODES)
    most = number("function_score", "max_boost", given.get("max_boost", math.inf))
    changed: Scores = {}
    for row, score in scores.items():
        values = [value for function in functions if (value := function(row)) is not None]
        changed[row] = apply(score, min(most, combine(values))) if values else score
    least = number("function_score", "min_score", given.get("min_score", -math.inf))
    return boosted({row: score for row, score in changed.items() if score >= least}, given, "function_score")


def _entries(given: dict[str, Any]) -> list[dict[str, Any]]:
    alone = {name: given[name] for name in _FUNCTIONS if name in given}
    listed = given.get("functions", [])
    if alone and listed:
        raise parsing('[function_score] already found an array of functions, use "functions" or one function, not both')
    return listed if isinstance(listed, list) and listed else [alone] if alone else []


def _function(entry: Any, snapshot: Snapshot, evaluate: Evaluate) -> Callable[[int], float | None]:
    """Return what gives the function's value for a row, None where its filter does not match."""
    given = members("function_score", entry, {"filter", *_FUNCTIONS})
    if not _FUNCTIONS & given.keys():
        raise parsing("[function_score] an entry in functions list is missing a function")
    admitted = evaluate(given["filter"], snapshot) if "filter" in given else None
    weight = number("function_score", "weight", given.get("weight", 1))
    factor = _factor(given["field_value_factor"], snapshot) if "field_value_factor" in given else None

    def value(row: int) -> float | None:
        if admitted is not None and row not in admitted:
            return None
        return weight * (factor(row) if factor else 1.0)

    return value


def _factor(body: Any, snapshot: Snapshot) -> Callable[[int], float]:
    given = members("field_value_factor", body, {"field", "factor", "modifier", "missing"})
    name = str(given.get("field"))
    field = snapshot.mapping.field(name)
    if field is None and "missing" not in given:
        raise ElasticsearchError(400, "parsing_exception", f"Unable to find a field mapper for field [{name}]")
    if field is not None and field.type in {"text", "keyword"}:
        raise illegal_argument(
            f"field [{name}] of type [{field.type}] is not numeric, [field_value_factor] needs a number"
        )
    multiplier = number("field_value_factor", "factor", given.get("factor", 1))
    modify = _choice("modifier", given.get("modifier", "none"), _MODIFIERS)

    def value(row: int) -> float:
        held = snapshot.values(row, name)
        if not held and "missing" not in given:
            raise ElasticsearchError(400, "exception", f"Missing value for field [{name}]")
        raw = float(held[0]) if held else number("field_value_factor", "missing", given["missing"])
        try:
            result = modify(multiplier * raw)
        except (ValueError, ZeroDivisionError):
            result = -1.0
        if result < 0:
            raise illegal_argument(f"field value function must not produce negative scores, but got: [{result}]")
        return result

    return value


def _choice(name: str, value: Any, known: Mapping[str, _Found]) -> _Found:
    chosen = known.get(str(value).lower())
    if chosen is None:
        raise parsing(f"[function_score] query does not support {name} [{value}]")
    return chosen
