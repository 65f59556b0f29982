"""JSON without surprises: strict reading, and writing that keeps decimals exact (RFC 8259)."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from app.problem import Problem


def parse(raw: bytes) -> Any:
    """Return the value of the JSON text `raw`; numbers with a fraction or an exponent become Decimal.

    NaN and the infinities become Decimal too: the model then refuses them with the name of the field. Raises Problem
    400 for text that is not UTF-8, not JSON, nested too deeply, repeats a member name or holds half a surrogate pair.
    """
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            parse_float=_decimal,
            parse_constant=Decimal,
            object_pairs_hook=_object,
        )
        if b"\\u" in raw:
            # Only an escape can bring half a surrogate pair past the decoder above.
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeDecodeError as error:
        raise Problem(400, "The body is not UTF-8; send JSON in UTF-8.") from error
    except UnicodeEncodeError as error:
        raise Problem(400, "The body holds half of a surrogate pair; send whole Unicode characters.") from error
    except json.JSONDecodeError as error:
        raise Problem(400, f"The body is not JSON: {error.msg} at character {error.pos}.") from error
    except RecursionError as error:
        raise Problem(400, "The body is nested too deeply; send one flat JSON object.") from error
    except ValueError as error:
        raise Problem(400, "The body holds a number with too many digits; send a shorter one.") from error
    return value


def text(value: Any) -> str:
    """Return the JSON text of `value`; a Decimal in it is written in plain digits, never through a float."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{text(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        # The exponent is beyond what Decimal can hold, as in 1e9999999999999999999.
        return Decimal("Infinity")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Problem(400, "The body repeats a member name; name each field once.")
    return members
