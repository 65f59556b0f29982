"""Items as DynamoDB attribute values, and their entity tags as conditions on these.

Sources: Amazon DynamoDB API Reference, "AttributeValue"; Amazon DynamoDB Developer Guide, "Condition expressions"; RFC
9110 section 13.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.http_headers import MAXIMUM_TAGS, EntityTag, TagList, parse_tags
from app.models import MAXIMUM_PRICE, Item, ItemFields
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

OPTIONAL_FIELDS = ("price", "category", "description")

# Holds the token of an adjustment that has not written its time yet (app.adjustments); every other write removes it.
PENDING = "pending_adjustment"

CONDITION_NAMES = {"#sku": "sku", "#version": "version", "#updated_at": "updated_at"}
# A tag that this service never made matches no item.
_IMPOSSIBLE = "attribute_exists(#sku) AND attribute_not_exists(#sku)"


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
    exact = price.quantize(Decimal("0.01")) if abs(price) <= MAXIMUM_PRICE else price
    return exact if exact == price else price


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression over CONDITION_NAMES, and the values that it refers to."""

    expression: str
    values: dict[str, AttributeValueTypeDef]


def condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """Return the condition that the two headers set on a write, or None when neither is given. Raises Problem 400."""
    values: dict[str, AttributeValueTypeDef] = {}
    wanted = None if if_match is None else _wanted(_parse("If-Match", if_match), values)
    unwanted = [] if if_none_match is None else _unwanted(_parse("If-None-Match", if_none_match), values)
    if wanted is not None and unwanted and " OR " in wanted:
        # Only here: DynamoDB refuses parentheses that change nothing.
        wanted = f"({wanted})"
    parts = [wanted, *unwanted] if wanted is not None else unwanted
    return Condition(" AND ".join(parts), values) if parts else None


def _parse(name: str, header: str) -> TagList:
    try:
        return parse_tags(header)
    except ValueError as error:
        raise Problem(
            400,
            f"{name} must be * or up to {MAXIMUM_TAGS} entity tags with their quotes, as GET shows them.",
        ) from error


def _wanted(tags: TagList, values: dict[str, AttributeValueTypeDef]) -> str:
    if tags.any:
        return "attribute_exists(#sku)"
    # A weak tag never matches strongly (section 8.8.3.2), and this service hands out strong ones only.
    strong = [tag for tag in tags.tags if not tag.weak]
    return " OR ".join(_is(tag, values, f"m{number}") for number, tag in enumerate(strong)) or _IMPOSSIBLE


def _unwanted(tags: TagList, values: dict[str, AttributeValueTypeDef]) -> list[str]:
    if tags.any:
        return ["attribute_not_exists(#sku)"]
    return [f"NOT ({_is(tag, values, f'n{number}')})" for number, tag in enumerate(tags.tags)]


def _is(tag: EntityTag, values: dict[str, AttributeValueTypeDef], name: str) -> str:
    version, _, updated_at = tag.opaque.partition(".")
    if not (version.isascii() and version.isdigit() and len(version) <= 18):
        return _IMPOSSIBLE
    parts = ["attribute_exists(#sku)"]
    if int(version):
        values[f":{name}v"] = {"N": str(int(version))}
        parts.append(f"#version = :{name}v")
    else:
        parts.append("attribute_not_exists(#version)")
    if updated_at:
        values[f":{name}u"] = {"S": updated_at}
        parts.append(f"#updated_at = :{name}u")
    else:
        parts.append("attribute_not_exists(#updated_at)")
    return " AND ".join(parts)
