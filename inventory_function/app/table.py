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

from app import adjustments, stored_item
from app.conditions import Condition, add_condition, precondition_failed
from app.config import settings
from app.models import Item, NewItem
from app.observability import logger
from app.retries import error_code, read_with_retries, write_with_retries
from app.stored_item import PENDING, UnreadableItemError
from lambda_http import aws_clients
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

# A partition key of DynamoDB holds at most 2048 bytes.
_MAXIMUM_CURSOR = 4 * (6 + 2048) // 3 + 4
_CHECKSUM_BYTES = 6

RETRY_SECONDS = 600
"""As long as DynamoDB remembers an adjustment's key."""

_MAXIMUM_LOGGED = 1_000
_logged: set[str] = set()


class InvalidCursorError(ValueError):
    """A cursor is none that this service made."""


def create(new: NewItem) -> Item:
    """Store `new` and return the item; return the stored one when this repeats its creation.

    A creation with the content of an item that is unchanged, and RETRY_SECONDS old at most, is taken for a repetition:
    the first answer may have been lost. Raises Problem 409 when the SKU is taken otherwise, 503.
    """
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
        write_with_retries(
            lambda: aws_clients.dynamodb().put_item(
                TableName=settings().table_name,
                Item=attributes,
                ConditionExpression="attribute_not_exists(sku)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            is_repeatable=True,
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        existing = _repeated(created, error.response.get("Item"))
        if existing is None:
            raise Problem(
                HTTPStatus.CONFLICT,
                f"There is already an item {new.sku}; use PUT to replace it or choose another SKU.",
            ) from error
        return existing
    return created


def get(sku: str) -> Item:
    """Return the item, as of now (a consistent read). Raises Problem 404, 409 when it cannot be read, 503."""
    answer = read_with_retries(
        lambda: aws_clients.dynamodb().get_item(
            TableName=settings().table_name, Key={"sku": {"S": sku}}, ConsistentRead=True
        )
    )
    if "Item" not in answer:
        raise stored_item.absent(sku)
    token = answer["Item"].get(PENDING, {}).get("S")
    try:
        return adjustments.complete(sku, token) if token else stored_item.read(answer["Item"])
    except UnreadableItemError as error:
        raise error.problem() from error


def page(limit: int, cursor: str | None) -> tuple[list[Item], list[str], str | None]:
    """Return up to `limit` items from `cursor` on, in the table's order, and the next page's cursor or None.

    Between them stand the SKUs of this page's items that cannot be read. An item that exists during the whole walk is
    seen exactly once: the order is that of the hashed keys, and the place is a key. Raises InvalidCursorError when
    `cursor` is none that this function returned.
    """
    after = None if cursor is None else decode_cursor(cursor)
    # One more than asked for shows whether there is a next page, so that none comes out empty.
    request: dict[str, Any] = {"TableName": settings().table_name, "Limit": limit + 1}
    if after is not None:
        request["ExclusiveStartKey"] = {"sku": {"S": after}}
    answer = read_with_retries(lambda: aws_clients.dynamodb().scan(**request))
    # A scan also stops after one megabyte.
    last: Any = answer.get("LastEvaluatedKey")
    found = answer["Items"]
    if len(found) > limit:
        found = found[:limit]
        last = found[-1]
    items, unreadable = [], []
    for attributes in found:
        try:
            items.append(stored_item.read(attributes))
        except UnreadableItemError as error:
            _log_once(error)
            unreadable.append(error.sku)
    return items, unreadable, encode_cursor(last["sku"]["S"]) if last else None


def _repeated(created: Item, existing: Any) -> Item | None:
    """Return the `existing` item when it is what an earlier try of the creation stored."""
    try:
        item = stored_item.read(existing or {"sku": {"S": created.sku}})
        age = stored_item.seconds_between(item.created_at, created.created_at)
    except (UnreadableItemError, TypeError, ValueError):
        return None
    same = item.model_copy(update={"created_at": created.created_at, "updated_at": created.updated_at}) == created
    return item if same and abs(age) <= RETRY_SECONDS else None


def _log_once(error: UnreadableItemError) -> None:
    if error.sku not in _logged and len(_logged) < _MAXIMUM_LOGGED:
        _logged.add(error.sku)
        logger.warning("A stored item cannot be read", sku=error.sku, reason=error.reason)


def delete(sku: str, condition: Condition | None) -> None:
    """Delete the item; one that is absent is deleted already. Raises Problem 412."""
    from botocore.exceptions import ClientError

    request: dict[str, Any] = {"TableName": settings().table_name, "Key": {"sku": {"S": sku}}}
    add_condition(request, condition)
    try:
        write_with_retries(lambda: aws_clients.dynamodb().delete_item(**request), is_repeatable=condition is None)
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise precondition_failed() from error


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
