"""The items in DynamoDB: create, read, list, replace, delete. No call here reads before it writes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app import clients, precondition, stored_item
from app.config import settings
from app.models import Item, ItemFields, NewItem
from app.precondition import Condition
from app.problem import Problem
from app.retries import attempt, error_code
from app.stored_item import PENDING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


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
        attempt(
            lambda: clients.dynamodb().put_item(
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
    answer = attempt(
        lambda: clients.dynamodb().get_item(
            TableName=settings().table_name, Key={"sku": {"S": sku}}, ConsistentRead=True
        ),
        repeatable=True,
    )
    if "Item" not in answer:
        raise stored_item.absent(sku)
    return stored_item.read(answer["Item"])


def page(limit: int, after: str | None) -> tuple[list[Item], str | None]:
    """Return up to `limit` items after the SKU `after` in the table's order, and the SKU to go on after or None.

    An item that exists during the whole walk is seen exactly once: the order is that of the hashed keys, and the
    place is a key.
    """
    # One more than asked for shows whether there is a next page, so that none comes out empty.
    request: dict[str, Any] = {"TableName": settings().table_name, "Limit": limit + 1}
    if after is not None:
        request["ExclusiveStartKey"] = {"sku": {"S": after}}
    answer = attempt(lambda: clients.dynamodb().scan(**request), repeatable=True)
    items = [stored_item.read(attributes) for attributes in answer["Items"]]
    if len(items) > limit:
        return items[:limit], items[limit - 1].sku
    # A scan also stops after one megabyte.
    last = answer.get("LastEvaluatedKey")
    return items, last["sku"]["S"] if last else None


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
        answer = attempt(lambda: clients.dynamodb().update_item(**request), repeatable=condition is None)
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
        attempt(lambda: clients.dynamodb().delete_item(**request), repeatable=condition is None)
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
    names.update({alias: name for alias, name in precondition.NAMES.items() if alias in condition.expression})
    if condition.values:
        request.setdefault("ExpressionAttributeValues", {}).update(condition.values)


def _precondition_failed() -> Problem:
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "The item is not as If-Match or If-None-Match asks for; read it again and repeat with its new ETag.",
    )
