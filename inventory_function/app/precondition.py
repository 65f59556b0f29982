"""If-Match and If-None-Match as conditions that DynamoDB checks together with the write (RFC 9110 section 13.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import http_headers
from app.http_headers import EntityTag, TagList
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
    wanted = None if if_match is None else _wanted(_parse("If-Match", if_match), values)
    unwanted = [] if if_none_match is None else _unwanted(_parse("If-None-Match", if_none_match), values)
    if wanted is not None and unwanted and " OR " in wanted:
        # Only here: DynamoDB refuses parentheses that change nothing.
        wanted = f"({wanted})"
    parts = [wanted, *unwanted] if wanted is not None else unwanted
    return Condition(" AND ".join(parts), values) if parts else None


def _parse(name: str, header: str) -> TagList:
    try:
        return http_headers.parse(header)
    except ValueError as error:
        raise Problem(
            400,
            f"{name} must be * or up to {http_headers.MAXIMUM_TAGS} entity tags with their quotes, as GET shows them.",
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


# A tag that this service never made matches no item.
_IMPOSSIBLE = "attribute_exists(#sku) AND attribute_not_exists(#sku)"


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
