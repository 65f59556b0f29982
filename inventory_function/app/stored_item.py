"""Items as DynamoDB attribute values (Amazon DynamoDB API Reference, "AttributeValue")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin
from urllib.parse import quote

from app.http_headers import EntityTag
from app.models import MAXIMUM_PRICE, Item, ItemFields
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_PAISA = Decimal("0.01")


def _stored_type(name: str, annotation: Any) -> type:
    """Return the type within `Annotated` and `| None`. Raises TypeError when no attribute here holds such a value."""
    within = annotation
    while get_origin(within) in (Annotated, Union, UnionType):
        within = get_args(within)[0]
    if within not in (str, int, Decimal):
        raise TypeError(f"{name} is {annotation}: app.stored_item stores str, int and Decimal")
    stored: type = within
    return stored


_TYPES = {name: _stored_type(name, field.annotation) for name, field in ItemFields.model_fields.items()}
OPTIONAL_FIELDS = tuple(name for name, field in ItemFields.model_fields.items() if not field.is_required())

# Holds the token of an adjustment that has not written its time yet (app.adjustments); every other write removes it.
PENDING = "pending_adjustment"


def now() -> str:
    """Return the present in RFC 3339 with microseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds_between(earlier: str | None, later: str | None) -> float:
    """Return the seconds from one time of `now` to another. Raises ValueError and TypeError for what is none."""
    return (datetime.fromisoformat(later or "") - datetime.fromisoformat(earlier or "")).total_seconds()


def field_values(fields: ItemFields) -> dict[str, AttributeValueTypeDef]:
    """Return the attribute values of the fields that a client decides; what is not set is absent."""
    given = {name: getattr(fields, name) for name in _TYPES}
    return {
        name: {"S": value} if _TYPES[name] is str else {"N": str(value)}
        for name, value in given.items()
        if value is not None
    }


class UnreadableItemError(Exception):
    """Another writer stored what is no item; `reason` says which attribute is wrong, and how."""

    def __init__(self, sku: str, reason: str) -> None:
        super().__init__(reason)
        self.sku = sku
        self.reason = reason

    def problem(self, *, was_changed: bool = False) -> Problem:
        """Return the 409 that says what is wrong; `was_changed` says that the quantity was changed all the same."""
        so_far = "The quantity was changed, but the" if was_changed else "The"
        detail = f"{so_far} stored item {self.sku} cannot be read: {self.reason}; PUT the whole item to repair it."
        return Problem(HTTPStatus.CONFLICT, detail)


def read(attributes: Mapping[str, Any]) -> Item:
    """Return the item in `attributes`.

    Attributes of other writers are ignored; a missing version counts as 0, an optional field that is null as absent.
    Raises UnreadableItemError when an attribute has a type or a value that no item can have.
    """
    item = _Attributes(attributes)
    fields: dict[str, Any] = {name: item.field(name) for name in _TYPES}
    return Item.model_construct(
        sku=item.sku,
        **fields,
        version=item.whole_number("version") or 0,
        created_at=item.text("created_at"),
        updated_at=item.text("updated_at"),
    )


class _Attributes:
    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.sku: str = attributes["sku"]["S"]  # the table's key, which DynamoDB holds to its type

    def field(self, name: str) -> str | int | Decimal | None:
        is_optional = name in OPTIONAL_FIELDS
        read = {str: self.text, int: self.whole_number, Decimal: self.price}[_TYPES[name]]
        value = read(name, may_be_null=is_optional)
        if value is None and not is_optional:
            raise UnreadableItemError(self.sku, f"it has no {name}")
        return value

    def text(self, name: str, *, may_be_null: bool = False) -> str | None:
        value = self._value(name, "S", "text", may_be_null=may_be_null)
        return None if value is None else str(value)

    def whole_number(self, name: str, *, may_be_null: bool = False) -> int | None:
        number = self._number(name, may_be_null=may_be_null)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise UnreadableItemError(self.sku, f"{name} is not a whole number")
        return int(number)

    def price(self, name: str, *, may_be_null: bool = False) -> Decimal | None:
        price = self._number(name, may_be_null=may_be_null)
        # DynamoDB drops trailing zeros: 19.90 comes back as 19.9. Another writer may have stored more than this service
        # accepts; that is shown as it is.
        if price is None or abs(price) > MAXIMUM_PRICE or price != price.quantize(_PAISA):
            return price
        return price.quantize(_PAISA)

    def _number(self, name: str, *, may_be_null: bool) -> Decimal | None:
        value = self._value(name, "N", "number", may_be_null=may_be_null)
        return None if value is None else Decimal(value)

    def _value(self, name: str, kind: str, said: str, *, may_be_null: bool) -> Any:
        value = self._attributes.get(name)
        if value is None or (may_be_null and "NULL" in value):
            return None
        if kind not in value:
            raise UnreadableItemError(self.sku, f"{name} is not a {said}")
        return value[kind]


def entity_tag(item: Item) -> EntityTag:
    """Return the strong entity tag of `item`.

    It has the time of creation beside the version, because an item that is deleted and created anew begins at version 1
    again. It has not the time of the last change, which an adjustment with a key writes a moment after the version.
    """
    # Quoted: another writer may have stored any text.
    return EntityTag(f"{item.version}.{quote(item.created_at or '', safe=':')}")


def is_well_kept(attributes: Mapping[str, Any]) -> bool:
    """Tell whether version and time of creation, which a replacement builds on, are as this service writes them."""
    item = _Attributes(attributes)
    try:
        item.whole_number("version")
        item.text("created_at")
    except UnreadableItemError:
        return False
    return True


def absent(sku: str) -> Problem:
    """Return the 404 for `sku`."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no item {sku}; check the SKU, or create the item first.")
