"""Adjustments of a quantity: atomic, and with an idempotency key harmless to repeat.

A key makes the adjustment a transaction with DynamoDB's ClientRequestToken ("Idempotency" in the Developer Guide's
"Amazon DynamoDB Transactions: How it works"): for ten minutes the same token does nothing more, provided that all
parameters are the same. So the transaction cannot carry the time. It leaves the token in the attribute PENDING
instead, and a second update writes `updated_at` and removes PENDING, on condition that PENDING still is that token. A
replay finds it gone and changes nothing; a replay after a crash between the two calls finds it and completes the
work. The second update also returns the item, which a transaction cannot. A reader that comes between the two completes
the work as well, so nobody sees one entity tag with different bytes.
"""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app import stored_item
from app.config import settings
from app.models import MAXIMUM_QUANTITY, Item
from app.retries import FOLLOW_UP_BUDGET_SECONDS, error_code, write_with_retries
from app.stored_item import PENDING, UnreadableItemError
from lambda_http import aws_clients
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_SET = "SET #qty = #qty + :delta, #version = if_not_exists(#version, :zero) + :one"
# Arithmetic on a version of another type would be an error.
_CONDITION = (
    "attribute_exists(#sku) AND #qty BETWEEN :low AND :high"
    " AND (attribute_not_exists(#version) OR attribute_type(#version, :number))"
)
_NAMES = {"#sku": "sku", "#qty": "qty", "#version": "version", "#pending": PENDING}
_MAXIMUM_ROUNDS = 5
_TOKENS = uuid.UUID("6c4c2f6e-40a8-4a53-9f0b-0d6f4f3f7a51")


def adjust(sku: str, delta: int) -> Item:
    """Add `delta` to the quantity and return the item.

    Raises Problem 404 when there is no item, 409 when the quantity would leave 0 to MAXIMUM_QUANTITY, 503 when the
    table stays busy or its answer is lost.
    """
    from botocore.exceptions import ClientError

    request: dict[str, Any] = {
        "TableName": settings().table_name,
        "Key": {"sku": {"S": sku}},
        "UpdateExpression": f"{_SET}, #updated_at = :now REMOVE #pending",
        "ConditionExpression": _CONDITION,
        "ExpressionAttributeNames": {**_NAMES, "#updated_at": "updated_at"},
        "ExpressionAttributeValues": {**_values(delta), ":now": {"S": stored_item.now()}},
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        answer = write_with_retries(lambda: aws_clients.dynamodb().update_item(**request), is_repeatable=False)
    except ClientError as error:
        if error_code(error) == "ConditionalCheckFailedException":
            raise _condition_problem(sku, delta, error.response.get("Item")) from error
        raise
    try:
        return stored_item.read(answer["Attributes"])
    except UnreadableItemError as error:
        raise error.problem(was_changed=True) from error


def adjust_once(sku: str, delta: int, key: str) -> Item:
    """Add `delta` unless an adjustment of `sku` with the same idempotency `key` just did; return the item.

    Raises what `adjust` raises, and Problem 422 when the key came with another delta before.
    """
    token = str(uuid.uuid5(_TOKENS, "\n".join((settings().table_name, sku, key))))
    _transact(sku, delta, token)

    try:
        return complete(sku, token)
    except UnreadableItemError as error:
        raise error.problem(was_changed=True) from error


def complete(sku: str, token: str, rounds: int = _MAXIMUM_ROUNDS) -> Item:
    """Write the time of the adjustment that left `token` in the item, unless someone did; return the item.

    An adjustment that came in between is completed in its turn, up to `rounds` of them. Raises UnreadableItemError;
    Problem 404 when the item is gone meanwhile, 503.
    """
    from botocore.exceptions import ClientError

    try:
        answer = write_with_retries(
            lambda: aws_clients.dynamodb().update_item(
                TableName=settings().table_name,
                Key={"sku": {"S": sku}},
                UpdateExpression="SET #updated_at = :now REMOVE #pending",
                ConditionExpression="#pending = :token",
                ExpressionAttributeNames={"#updated_at": "updated_at", "#pending": PENDING},
                ExpressionAttributeValues={":now": {"S": stored_item.now()}, ":token": {"S": token}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
            is_repeatable=True,
            was_applied=True,
            budget=FOLLOW_UP_BUDGET_SECONDS,
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        current: Any = error.response.get("Item")
        if not current:
            raise stored_item.absent(sku) from error
        newer = current.get(PENDING, {}).get("S")
        if newer is not None and rounds > 1:
            return complete(sku, newer, rounds - 1)
        return stored_item.read(current)
    return stored_item.read(answer["Attributes"])


def _transact(sku: str, delta: int, token: str) -> None:
    from botocore.exceptions import ClientError

    update: Any = {
        "TableName": settings().table_name,
        "Key": {"sku": {"S": sku}},
        "UpdateExpression": f"{_SET}, #pending = :token",
        "ConditionExpression": _CONDITION,
        "ExpressionAttributeNames": _NAMES,
        "ExpressionAttributeValues": {**_values(delta), ":token": {"S": token}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        write_with_retries(
            lambda: aws_clients.dynamodb().transact_write_items(
                ClientRequestToken=token, TransactItems=[{"Update": update}]
            ),
            is_repeatable=True,
        )
    except ClientError as error:
        problem = _transaction_problem(sku, delta, error)
        if problem is None:
            raise
        raise problem from error


def _transaction_problem(sku: str, delta: int, error: ClientError) -> Problem | None:
    code = error_code(error)
    if code == "IdempotentParameterMismatchException":
        return Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "This Idempotency-Key came with another delta before; use a new key for a new adjustment.",
        )
    if code == "TransactionCanceledException":
        for reason in error.response.get("CancellationReasons", []):
            if reason.get("Code") == "ConditionalCheckFailed":
                return _condition_problem(sku, delta, reason.get("Item"))
    return None


def _values(delta: int) -> dict[str, Any]:
    return {
        ":delta": {"N": str(delta)},
        ":low": {"N": str(max(0, -delta))},
        ":high": {"N": str(MAXIMUM_QUANTITY - max(0, delta))},
        ":number": {"S": "N"},
        ":zero": {"N": "0"},
        ":one": {"N": "1"},
    }


def _condition_problem(sku: str, delta: int, current: Any) -> Problem:
    if not current:
        return stored_item.absent(sku)
    try:
        quantity = stored_item.read(current).qty
    except UnreadableItemError as error:
        return error.problem()
    if delta < 0:
        return Problem(
            HTTPStatus.CONFLICT, f"Only {quantity} of {sku} are in stock, so {-delta} cannot be taken; take fewer."
        )
    return Problem(
        HTTPStatus.CONFLICT,
        f"There are {quantity} of {sku}, and {delta} more would pass the limit of {MAXIMUM_QUANTITY}; add fewer.",
    )
