"""Items as DynamoDB attribute values (Amazon DynamoDB API Reference, "AttributeValue")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.http_headers import EntityTag
from app.models import Item, ItemFields
from app.price import MAXIMUM
from app.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

OPTIONAL_FIELDS = ("price", "category", "description")

# Holds the token of an adjustment that has not written its time yet (app.adjustments); every other write removes it.
PENDING = "pending_adjustment"


def now() -> str:
    """Return the present in RFC 3339 with microseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def field_values(fields: ItemFields) -> dict[str, AttributeValueTypeDef]:
    """Return the attribute values of the fields that a client decides; what is not set is absent."""
    values: dict[str, AttributeValueTypeDef] = {"name": {"S": fields.name}, "qty": {"N": str(fields.qty)}}
    if fields.price is not None:
        values["price"] = {"N": str(fields.price)}
    if fields.category is not None:
        values["category"] = {"S": fields.category}
    if fields.description is not None:
        values["description"] = {"S": fields.description}
    return values


def read(attributes: Mapping[str, Any]) -> Item:
    """Return the item in `attributes`. Attributes of other writers are ignored; their missing version counts as 0."""
    price = attributes.get("price")
    return Item.model_construct(
        sku=attributes["sku"]["S"],
        name=attributes["name"]["S"],
        qty=int(attributes["qty"]["N"]),
        # DynamoDB drops trailing zeros: 19.90 comes back as 19.9.
        price=None if price is None else _two_places(Decimal(price["N"])),
        category=_text(attributes, "category"),
        description=_text(attributes, "description"),
        version=int(attributes["version"]["N"]) if "version" in attributes else 0,
        created_at=_text(attributes, "created_at"),
        updated_at=_text(attributes, "updated_at"),
    )


def entity_tag(item: Item) -> EntityTag:
    """Return the strong entity tag of `item`.

    It has the time of the last change beside the version, because an item that is deleted and created anew begins at
    version 1 again.
    """
    return EntityTag(f"{item.version}.{item.updated_at or ''}")


def absent(sku: str) -> Problem:
    """Return the 404 for `sku`."""
    return Problem(HTTPStatus.NOT_FOUND, f"There is no item {sku}; check the SKU, or create the item first.")


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    return None if value is None else str(value["S"])


def _two_places(price: Decimal) -> Decimal:
    # Another writer may have stored more than this service accepts; show it as it is rather than fail.
    exact = price.quantize(Decimal("0.01")) if abs(price) <= MAXIMUM else price
    return exact if exact == price else price
