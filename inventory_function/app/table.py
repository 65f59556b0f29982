"""The items in DynamoDB: create, read, list, replace, delete. No call here reads before it writes.

The cursor of the list says where the next page starts and is opaque to clients: base64url without padding of six bytes
of SHA-256 and the SKU that ended the page. The checksum finds damage and hand-made cursors; it is no secret, because a
cursor names nothing that the list itself would not show.
"""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app import stored_item
from app.config import settings
from app.models import Item, ItemFields, NewItem
from app.retries import error_code, with_retries
from app.stored_item import PENDING, Condition
from lambda_http import aws_clients
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# A partition key of DynamoDB holds at most 2048 bytes.
_MAXIMUM_CURSOR = 4 * (6 + 2048) // 3 + 4
_CHECKSUM_BYTES = 6


class InvalidCursorError(ValueError):
    """A cursor is none that this service made."""


def create(new: NewItem) -> Item:
    """Store `new` and return the item. Raises Problem 409 when its SKU is taken."""
    from botocore.exceptions import ClientError

    now = stored_item.now()
    attributes: dict[str, AttributeValueTypeDef] = {
        "sku": {"S": new.sku},
        **stored_item.field_values(new),
        "version": {"N": "1"},
        "created_at": {"S": now},
        "updated_at": {"S": now},
    }
    created = stored_item.read(attributes)
    try:
        with_retries(
            lambda: aws_clients.dynamodb().put_item(
                TableName=settings().table_name,
                Item=attributes,
                ConditionExpression="attribute_not_exists(sku)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            repeatable=True,
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        # After a lost answer the repetition meets the item that the first attempt stored: that is success.
        existing: Any = error.response.get("Item")
        if not existing or stored_item.read(existing) != created:
            raise Problem(
                HTTPStatus.CONFLICT,
                f"There is already an item {new.sku}; use PUT to replace it or choose another SKU.",
            ) from error
    return created


def get(sku: str) -> Item:
    """Return the item, as of now (a consistent read). Raises Problem 404."""
    answer = with_retries(
        lambda: aws_clients.dynamodb().get_item(
            TableName=settings().table_name, Key={"sku": {"S": sku}}, ConsistentRead=True
        ),
        repeatable=True,
    )
    if "Item" not in answer:
        raise stored_item.absent(sku)
    return stored_item.read(answer["Item"])


def page(limit: int, cursor: str | None) -> tuple[list[Item], str | None]:
    """Return up to `limit` items from `cursor` on, in the table's order, and the next page's cursor or None.

    An item that exists during the whole walk is seen exactly once: the order is that of the hashed keys, and the place
    is a key. Raises InvalidCursorError when `cursor` is none that this function returned.
    """
    after = None if cursor is None else decode_cursor(cursor)
    # One more than asked for shows whether there is a next page, so that none comes out empty.
    request: dict[str, Any] = {"TableName": settings().table_name, "Limit": limit + 1}
    if after is not None:
        request["ExclusiveStartKey"] = {"sku": {"S": after}}
    answer = with_retries(lambda: aws_clients.dynamodb().scan(**request), repeatable=True)
    items = [stored_item.read(attributes) for attributes in answer["Items"]]
    if len(items) > limit:
        return items[:limit], encode_cursor(items[limit - 1].sku)
    # A scan also stops after one megabyte.
    last = answer.get("LastEvaluatedKey")
    return items, encode_cursor(last["sku"]["S"]) if last else None


def replace(sku: str, fields: ItemFields, condition: Condition | None) -> tuple[Item, bool]:
    """Make `fields` the item, in one atomic update; return it and whether it is new. Raises Problem 412.

    The version grows by one and the time of creation stays.
    """
    from botocore.exceptions import ClientError

    now = stored_item.now()
    values = stored_item.field_values(fields)
    absent_fields = [name for name in stored_item.OPTIONAL_FIELDS if name not in values]
    sets = [f"#{name} = :{name}" for name in values]
    sets += [
        "#version = if_not_exists(#version, :zero) + :one",
        "#created_at = if_not_exists(#created_at, :now)",
        "#updated_at = :now",
    ]
    removes = [f"#{name}" for name in (*absent_fields, PENDING)]
    request: dict[str, Any] = {
        "TableName": settings().table_name,
        "Key": {"sku": {"S": sku}},
        "UpdateExpression": f"SET {', '.join(sets)} REMOVE {', '.join(removes)}",
        "ExpressionAttributeNames": {
            f"#{name}": name for name in (*values, *absent_fields, PENDING, "version", "created_at", "updated_at")
        },
        "ExpressionAttributeValues": {
            **{f":{name}": value for name, value in values.items()},
            ":zero": {"N": "0"},
            ":one": {"N": "1"},
            ":now": {"S": now},
        },
        # The old item tells both whether there was one and, with `fields`, what the new one is.
        "ReturnValues": "ALL_OLD",
    }
    _add_condition(request, condition)
    try:
        answer = with_retries(lambda: aws_clients.dynamodb().update_item(**request), repeatable=condition is None)
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise _precondition_failed() from error
    old = answer.get("Attributes", {})
    version = int(old["version"]["N"]) + 1 if "version" in old else 1
    attributes = {
        "sku": {"S": sku},
        **values,
        "version": {"N": str(version)},
        "created_at": old.get("created_at", {"S": now}),
        "updated_at": {"S": now},
    }
    return stored_item.read(attributes), not old


def delete(sku: str, condition: Condition | None) -> None:
    """Delete the item; one that is absent is deleted already. Raises Problem 412."""
    from botocore.exceptions import ClientError

    request: dict[str, Any] = {"TableName": settings().table_name, "Key": {"sku": {"S": sku}}}
    _add_condition(request, condition)
    try:
        with_retries(lambda: aws_clients.dynamodb().delete_item(**request), repeatable=condition is None)
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise _precondition_failed() from error


def _add_condition(request: dict[str, Any], condition: Condition | None) -> None:
    if condition is None:
        return
    request["ConditionExpression"] = condition.expression
    names = request.setdefault("ExpressionAttributeNames", {})
    # DynamoDB refuses names and values that no expression mentions.
    names.update({alias: name for alias, name in stored_item.CONDITION_NAMES.items() if alias in condition.expression})
    if condition.values:
        request.setdefault("ExpressionAttributeValues", {}).update(condition.values)


def _precondition_failed() -> Problem:
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "The item is not as If-Match or If-None-Match asks for; read it again and repeat with its new ETag.",
    )


def encode_cursor(sku: str) -> str:
    """Return the cursor for the page that follows `sku`."""
    key = sku.encode()
    return base64.urlsafe_b64encode(_checksum(key) + key).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """Return the SKU in `cursor`. Raises InvalidCursorError unless `encode_cursor` returns exactly `cursor` for it."""
    if not 0 < len(cursor) <= _MAXIMUM_CURSOR:
        raise InvalidCursorError("length")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        sku = raw[_CHECKSUM_BYTES:].decode()
    except ValueError as error:
        raise InvalidCursorError("encoding") from error
    # The comparison also refuses other spellings of the same bytes, which base64 allows.
    if not sku or encode_cursor(sku) != cursor:
        raise InvalidCursorError("checksum")
    return sku


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(b"inventory-cursor-1:" + key).digest()[:_CHECKSUM_BYTES]
