"""What a client may send, and what the service answers: items, prices, adjustments, pages."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

MAXIMUM_QUANTITY = 1_000_000_000
MAXIMUM_PRICE = Decimal("999999999.99")
_PAISA = Decimal("0.01")
_DIGITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")

# No control characters (C0, DEL, C1) anywhere, and at least one character that is not one of them, a space or NBSP.
_TEXT = r"^[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$"


def parse_price(value: Any) -> Decimal:
    """Return `value` as a Decimal with two places.

    Takes an int or a Decimal (a JSON number), or plain digits in a string such as "19.99". A float is refused: it
    cannot hold 19.99. Raises PydanticCustomError for everything that is no price.
    """
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise _price_error("a string price must be plain digits such as 19.99, at most two places")
        value = Decimal(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    elif not isinstance(value, Decimal):
        raise _price_error("must be a number such as 19.99")
    if not value.is_finite() or not 0 <= value <= MAXIMUM_PRICE:
        raise _price_error(f"must be a finite number from 0 to {MAXIMUM_PRICE}")
    price: Decimal = value.quantize(_PAISA)
    if price != value:
        raise _price_error("must have at most two places after the point")
    return abs(price)  # -0.0 is zero


def _price_error(message: str) -> PydanticCustomError:
    return PydanticCustomError("price", message)


Price = Annotated[
    Decimal,
    PlainValidator(parse_price),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": float(MAXIMUM_PRICE), "multipleOf": 0.01},
                {"type": "string", "pattern": f"^{_DIGITS.pattern}$"},
            ],
            "description": "Rupees (INR), at most two places: a JSON number or a string of digits.",
        }
    ),
]


def _addressable(sku: str) -> str:
    if sku in {".", ".."}:
        # Clients remove dot segments from a path (RFC 3986 section 5.2.4), so no URL could ever name such an item.
        raise PydanticCustomError("sku", "must not be . or .., which no URL can carry")
    return sku


Sku = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Identifies the item: 1 to 64 of A-Z a-z 0-9 . _ - (but not . or .. alone).",
        examples=["TEA-ASSAM-250"],
        json_schema_extra={"not": {"enum": [".", ".."]}},
    ),
    AfterValidator(_addressable),
]
Quantity = Annotated[
    int,
    Strict(),
    Field(ge=0, le=MAXIMUM_QUANTITY, description="How many are in stock.", examples=[40]),
]
Delta = Annotated[
    int,
    Strict(),
    Field(
        ge=-MAXIMUM_QUANTITY,
        le=MAXIMUM_QUANTITY,
        description="How many to add; negative takes some away; never 0.",
        examples=[-2],
        json_schema_extra={"not": {"const": 0}},
    ),
]


class ItemFields(BaseModel):
    """The fields of an item that a client decides. Each is stored and, as `Item` has it, too, answered."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT, examples=["Assam tea, 250 g"])]
    qty: Quantity
    price: Price | None = None
    category: Annotated[str, Field(min_length=1, max_length=100, pattern=_TEXT, examples=["tea"])] | None = None
    description: Annotated[str, Field(min_length=1, max_length=2000, pattern=_TEXT)] | None = None


class NewItem(ItemFields):
    """The body of POST /inventory."""

    sku: Sku


class Replacement(ItemFields):
    """The body of PUT /inventory/{sku}: the whole item; a field left out is removed."""

    sku: Annotated[Sku | None, Field(description="May be left out; when given it must equal the path.")] = None


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("delta", "must not be 0")
    return delta


class Adjustment(BaseModel):
    """The body of POST /inventory/{sku}/adjustments."""

    model_config = ConfigDict(extra="forbid")

    delta: Annotated[Delta, AfterValidator(_not_zero)]


class Item(BaseModel):
    """An item as the service answers it; an optional field that is not set is left out."""

    sku: str
    name: str
    qty: int
    price: Annotated[Decimal, Field(json_schema_extra={"type": "number"})] | None = None
    category: str | None = None
    description: str | None = None
    version: Annotated[int, Field(description="Grows by one with each change of the item.")]
    created_at: Annotated[str | None, Field(description="RFC 3339, UTC.")] = None
    updated_at: Annotated[str | None, Field(description="RFC 3339, UTC.")] = None

    def members(self) -> dict[str, Any]:
        """Return the members of the JSON answer, in order; the price keeps its two places."""
        return self.model_dump(exclude_none=True)


class Created(BaseModel):
    """The answer of POST /inventory."""

    status: Literal["created"]
    item: Item


class Page(BaseModel):
    """The answer of GET /inventory; `next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None
    unreadable: Annotated[
        list[str] | None,
        Field(description="SKUs of this page whose stored item cannot be read; GET says why, PUT repairs it."),
    ] = None


class Deleted(BaseModel):
    """The answer of DELETE /inventory/{sku}."""

    status: Literal["deleted"]
    sku: str
