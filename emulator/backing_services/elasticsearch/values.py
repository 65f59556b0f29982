"""Values of documents and of queries, by the type of their field.

Source: Elasticsearch 8.19 reference, "Field data types", "Numeric", "Boolean", "Date" (strict_date_optional_time).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, ShardError

Value = str | int | float | bool
INTEGERS: Final = {"byte": 2**7, "short": 2**15, "integer": 2**31, "long": 2**63}
NUMBERS: Final = frozenset({*INTEGERS, "float", "double", "half_float", "scaled_float"})


class _UnfitError(Exception):
    """A value that its type cannot hold; the message says why."""


def convert(kind: str, name: str, value: Any, identifier: str) -> Value:
    """Return `value` of the document `identifier` as a field of type `kind` holds it; dates are milliseconds."""
    try:
        return _converted(kind, value)
    except _UnfitError as error:
        raise ElasticsearchError(
            *(400, "document_parsing_exception"),
            f"[1:1] failed to parse field [{name}] of type [{kind}] in document with id '{identifier}'. "
            f"Preview of field's value: '{value}'",
            caused_by={"type": "illegal_argument_exception", "reason": str(error)},
        ) from None


def convert_query(kind: str, name: str, value: Any) -> Value:
    """Return `value` of a query in the form that `convert` gives to the values of the field."""
    try:
        return _converted(kind, value)
    except _UnfitError as error:
        raise ShardError(400, "query_shard_exception", f"failed to create query: {error} (field [{name}])") from None


def _converted(kind: str, value: Any) -> Value:
    if isinstance(value, dict | list) or value is None:
        raise _UnfitError(f"Can't get text on a {'START_OBJECT' if isinstance(value, dict) else 'START_ARRAY'}")
    if kind in {"text", "keyword"}:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "boolean":
        return _boolean(value)
    return _date(value) if kind == "date" else _number(kind, value)


def _boolean(value: Any) -> bool:
    if value is True or value == "true":
        return True
    if value is False or value in ("false", ""):
        return False
    raise _UnfitError(f"Failed to parse value [{value}] as only [true] or [false] are allowed.")


def _number(kind: str, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _UnfitError(f"For input string: {str(value).lower()!r}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise _UnfitError(f'For input string: "{value}"') from None
    if not math.isfinite(number):
        raise _UnfitError(f"[{kind}] supports only finite values, but got [{value}]")
    if kind not in INTEGERS:
        return number
    # A fraction is cut off, as the default `coerce` does; a whole number keeps every digit.
    whole = int(value) if isinstance(value, int) or str(value).lstrip("-").isdigit() else int(number)
    if not -INTEGERS[kind] <= whole < INTEGERS[kind]:
        raise _UnfitError(f"Value [{value}] is out of range for a {kind}")
    return whole


def _date(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _UnfitError(
            f"failed to parse date field [{value}] with format [strict_date_optional_time||epoch_millis]"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
