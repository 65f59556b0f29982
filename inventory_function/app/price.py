"""Prices: exact decimals in rupees (INR) with at most two places."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

MAXIMUM = Decimal("999999999.99")
_PAISA = Decimal("0.01")
_DIGITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


def parse_price(value: Any) -> Decimal:
    """Return `value` as a Decimal with two places.

    Takes an int or a Decimal (a JSON number), or plain digits in a string such as "19.99". A float is refused: it
    cannot hold 19.99. Raises PydanticCustomError for everything that is no price.
    """
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise _refusal("a string price must be plain digits such as 19.99, at most two places")
        value = Decimal(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    elif not isinstance(value, Decimal):
        raise _refusal("must be a number such as 19.99")
    if not value.is_finite() or not 0 <= value <= MAXIMUM:
        raise _refusal(f"must be a finite number from 0 to {MAXIMUM}")
    price: Decimal = value.quantize(_PAISA)
    if price != value:
        raise _refusal("must have at most two places after the point")
    return abs(price)  # -0.0 is zero


def _refusal(message: str) -> PydanticCustomError:
    return PydanticCustomError("price", message)


Price = Annotated[
    Decimal,
    PlainValidator(parse_price),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": float(MAXIMUM), "multipleOf": 0.01},
                {"type": "string", "pattern": f"^{_DIGITS.pattern}$"},
            ],
            "description": "Rupees (INR), at most two places: a JSON number or a string of digits.",
        }
    ),
]
