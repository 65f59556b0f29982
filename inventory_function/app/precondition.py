"""If-Match and If-None-Match as conditions that DynamoDB checks together with the write (RFC 9110 section 13.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import entity_tag
from app.entity_tag import EntityTag, TagList
from app.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

NAMES = {"#sku": "sku", "#version": "version", "#updated_at": "updated_at"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression over NAMES, and the values that it refers to."""

    expression: str
    values: dict[str, AttributeValueTypeDef]


def condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """Return the condition that the two headers set on a write, or None when neither is given. Raises Problem 400."""
    values: dict[str, AttributeValueTypeDef] = {}
    parts = []
    if if_match is not None:
        tags = _parse("If-Match", if_match)
        parts.append("attribute_exists(#sku)" if tags.any else _one_of(tags, values, "m", weakly=False))
    if if_none_match is not None:
        tags = _parse("If-None-Match", if_none_match)
        parts.append("attribute_not_exists(#sku)" if tags.any else f"NOT {_one_of(tags, values, 'n', weakly=True)}")
    return Condition(" AND ".join(parts), values) if parts else None


def _parse(name: str, header: str) -> TagList:
    try:
        return entity_tag.parse(header)
    except ValueError as error:
        raise Problem(
            400,
            f"{name} must be * or up to {entity_tag.MAXIMUM_TAGS} entity tags with their quotes, as a GET shows them.",
        ) from error


def _one_of(tags: TagList, values: dict[str, AttributeValueTypeDef], prefix: str, *, weakly: bool) -> str:
    # A weak tag never matches strongly (section 8.8.3.2), and this service hands out strong ones only.
    usable = [tag for tag in tags.tags if weakly or not tag.weak]
    alternatives = [_is(tag, values, f"{prefix}{number}") for number, tag in enumerate(usable)]
    return "(" + " OR ".join(alternatives or [_IMPOSSIBLE]) + ")"


# No item has both, so a tag that this service never made matches none.
_IMPOSSIBLE = "(attribute_exists(#sku) AND attribute_not_exists(#sku))"


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
    return "(" + " AND ".join(parts) + ")"
