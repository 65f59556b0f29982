"""If-Match and If-None-Match as conditions that DynamoDB checks together with the write (RFC 9110 section 13.1).

Source: Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions".
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.http_headers import MAXIMUM_TAGS, EntityTag, TagList, parse_tags
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_NAMES = {"#sku": "sku", "#version": "version", "#created_at": "created_at"}
# A tag that this service never made matches no item.
_IMPOSSIBLE = "attribute_exists(#sku) AND attribute_not_exists(#sku)"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition expression over _NAMES, and the values that it refers to.

    `is_either` says that it needs parentheses beside another condition; DynamoDB refuses those that change nothing.
    """

    expression: str
    values: dict[str, AttributeValueTypeDef]
    is_either: bool = False


def condition(if_match: str | None, if_none_match: str | None) -> Condition | None:
    """Return the condition that the two headers set on a write, or None when neither is given. Raises Problem 400."""
    values: dict[str, AttributeValueTypeDef] = {}
    wanted = None if if_match is None else _wanted(_parse("If-Match", if_match), values)
    unwanted = [] if if_none_match is None else _unwanted(_parse("If-None-Match", if_none_match), values)
    is_either = wanted is not None and " OR " in wanted
    if wanted is not None and is_either and unwanted:
        wanted = f"({wanted})"
    parts = [wanted, *unwanted] if wanted is not None else unwanted
    return Condition(" AND ".join(parts), values, is_either and not unwanted) if parts else None


def add_condition(request: dict[str, Any], condition: Condition | None, besides: str = "") -> None:
    """Make `request` conditional on `condition`, if any, and on the expression `besides`, if any."""
    parts = [besides] if besides else []
    if condition is not None:
        parts.insert(0, f"({condition.expression})" if besides and condition.is_either else condition.expression)
        if condition.values:
            request.setdefault("ExpressionAttributeValues", {}).update(condition.values)
    if parts:
        expression = request["ConditionExpression"] = " AND ".join(parts)
        names = request.setdefault("ExpressionAttributeNames", {})
        # DynamoDB refuses names and values that no expression mentions.
        names.update({alias: name for alias, name in _NAMES.items() if alias in expression})


def precondition_failed() -> Problem:
    """Return the 412."""
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "The item is not as If-Match or If-None-Match asks for; read it again and repeat with its new ETag.",
    )


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
    version, _, created_at = tag.opaque.partition(".")
    if not (version.isascii() and version.isdigit() and len(version) <= 18):
        return _IMPOSSIBLE
    parts = ["attribute_exists(#sku)"]
    if int(version):
        values[f":{name}v"] = {"N": str(int(version))}
        parts.append(f"#version = :{name}v")
    else:
        parts.append("attribute_not_exists(#version)")
    if created_at:
        values[f":{name}c"] = {"S": unquote(created_at)}
        parts.append(f"#created_at = :{name}c")
    else:
        parts.append("attribute_not_exists(#created_at)")
    return " AND ".join(parts)
