"""JSON without surprises (RFC 8259): strict reading, and writing that keeps decimals exact."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

# Beyond it a number is no quantity or price, and its plain digits could fill the memory.
_LARGEST_EXPONENT = 30


class InvalidJsonError(ValueError):
    """A text is not acceptable JSON; the message is a sentence for whoever sent it."""


def parse(raw: bytes) -> Any:
    """Return the value of the JSON text `raw` of a client; numbers with a fraction or an exponent become Decimal.

    Raises InvalidJsonError for text that is not UTF-8, not JSON (NaN and Infinity are not), nested too deeply, repeats
    a member name, holds half a surrogate pair, or a number of more than 30 places or thousands of digits.
    """
    try:
        value = json.loads(
            raw.decode("utf-8-sig"), parse_float=_decimal, parse_constant=_constant, object_pairs_hook=_object
        )
        if b"\\u" in raw:
            # Only an escape can bring half a surrogate pair past the decoder above.
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except InvalidJsonError:
        raise
    except UnicodeDecodeError as error:
        raise InvalidJsonError("The body is not UTF-8; send JSON in UTF-8.") from error
    except UnicodeEncodeError as error:
        raise InvalidJsonError("The body holds half of a surrogate pair; send whole Unicode characters.") from error
    except json.JSONDecodeError as error:
        raise InvalidJsonError(f"The body is not JSON: {error.msg} at character {error.pos}.") from error
    except RecursionError as error:
        raise InvalidJsonError("The body is nested too deeply; send one flat JSON object.") from error
    except ValueError as error:
        raise InvalidJsonError("The body holds a number with too many digits; send a shorter one.") from error
    return value


def load(text: str | bytes) -> Any:
    """Return the value of a JSON text that this service wrote; numbers with a fraction become Decimal."""
    return json.loads(text, parse_float=Decimal)


def dump(value: Any) -> str:
    """Return the JSON text of `value`: a Decimal in plain digits, never through a float; other scripts as they are.

    Half a surrogate pair is escaped, so that the text can always be encoded in UTF-8.
    """
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return text if text.isascii() or _is_utf8(text) else json.dumps(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(str(name))}:{dump(member)}" for name, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decimal(digits: str) -> Decimal:
    try:
        value = Decimal(digits)
    except InvalidOperation:
        value = Decimal("Infinity")
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise InvalidJsonError("The body holds a number that is too large or too small; send an ordinary one.")
    return value


def _constant(name: str) -> Any:
    raise InvalidJsonError(f"The body holds {name}, which is not JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJsonError("The body repeats a member name; name each field once.")
    return members
