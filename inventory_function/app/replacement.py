"""Replacement of a whole item, in one atomic update; it also repairs what another writer has spoilt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app import stored_item
from app.conditions import Condition, add_condition, precondition_failed
from app.config import settings
from app.models import Item, ItemFields
from app.retries import error_code, write_with_retries
from app.stored_item import PENDING
from lambda_http import aws_clients

# What `stored_item.is_well_kept` says, as far as DynamoDB can tell: arithmetic on a version of another type would be an
# error.
_WELL_KEPT = (
    "(attribute_not_exists(#version) OR attribute_type(#version, :number))"
    " AND (attribute_not_exists(#created_at) OR attribute_type(#created_at, :text))"
)
_WELL_KEPT_VALUES = {":number": {"S": "N"}, ":text": {"S": "S"}}


def replace(sku: str, fields: ItemFields, condition: Condition | None) -> tuple[Item, bool]:
    """Make `fields` the item, in one atomic update; return it and whether it is new. Raises Problem 412, 503.

    The version grows by one and the time of creation stays. Where another writer has spoilt one of the two, a second
    update begins both anew.
    """
    from botocore.exceptions import ClientError

    counting = ("if_not_exists(#version, :zero) + :one", "if_not_exists(#created_at, :now)")
    request, now = _replacement(sku, fields, *counting)
    request["ExpressionAttributeValues"] |= {":zero": {"N": "0"}, **_WELL_KEPT_VALUES}
    add_condition(request, condition, _WELL_KEPT)
    try:
        answer = write_with_retries(
            lambda: aws_clients.dynamodb().update_item(**request), is_repeatable=condition is None
        )
        old: Any = answer.get("Attributes", {})
        is_well_kept = not old or stored_item.is_well_kept(old)
        if not is_well_kept:
            old = {**old, "version": {"N": str(Decimal(old["version"]["N"]) + 1)}}
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        old = error.response.get("Item")
        is_well_kept = not old or stored_item.is_well_kept(old)
        if is_well_kept:
            raise precondition_failed() from error
    if not is_well_kept:
        return _begin_anew(sku, fields, condition, old), False
    version = int(old["version"]["N"]) + 1 if "version" in old else 1
    return _stored(sku, fields, version, old.get("created_at", {"S": now}), now), not old


def _begin_anew(sku: str, fields: ItemFields, condition: Condition | None, spoilt: Any) -> Item:
    """Replace the item that is `spoilt`, if its version and time of creation still are. Raises Problem 412, 503."""
    from botocore.exceptions import ClientError

    request, now = _replacement(sku, fields, ":one", ":now")
    still = []
    for name in ("version", "created_at"):
        if name in spoilt:
            still.append(f"#{name} = :spoilt_{name}")
            request["ExpressionAttributeValues"][f":spoilt_{name}"] = spoilt[name]
        else:
            still.append(f"attribute_not_exists(#{name})")
    add_condition(request, condition, " AND ".join(still))
    try:
        write_with_retries(lambda: aws_clients.dynamodb().update_item(**request), is_repeatable=False)
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise precondition_failed() from error
    return _stored(sku, fields, 1, {"S": now}, now)


def _replacement(sku: str, fields: ItemFields, version: str, created_at: str) -> tuple[dict[str, Any], str]:
    """Return the update that makes `fields` the item, and the time that it writes."""
    now = stored_item.now()
    values = stored_item.field_values(fields)
    absent_fields = [name for name in stored_item.OPTIONAL_FIELDS if name not in values]
    # With a prefix, so that no field is named like another value of the request, such as `now`.
    sets = [f"#{name} = :field_{name}" for name in values]
    sets += [f"#version = {version}", f"#created_at = {created_at}", "#updated_at = :now"]
    removes = [f"#{name}" for name in (*absent_fields, PENDING)]
    request: dict[str, Any] = {
        "TableName": settings().table_name,
        "Key": {"sku": {"S": sku}},
        "UpdateExpression": f"SET {', '.join(sets)} REMOVE {', '.join(removes)}",
        "ExpressionAttributeNames": {
            f"#{name}": name for name in (*values, *absent_fields, PENDING, "version", "created_at", "updated_at")
        },
        "ExpressionAttributeValues": {
            **{f":field_{name}": value for name, value in values.items()},
            ":one": {"N": "1"},
            ":now": {"S": now},
        },
        # The old item tells both whether there was one and, with `fields`, what the new one is.
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return request, now


def _stored(sku: str, fields: ItemFields, version: int, created_at: Any, now: str) -> Item:
    return stored_item.read(
        {
            "sku": {"S": sku},
            **stored_item.field_values(fields),
            "version": {"N": str(version)},
            "created_at": created_at,
            "updated_at": {"S": now},
        }
    )
