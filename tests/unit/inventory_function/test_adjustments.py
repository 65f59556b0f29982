"""The cases that a real table cannot be brought into on demand; the others are integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from app import adjustments
from app.config import settings
from botocore.session import Session
from botocore.stub import ANY, Stubber

from lambda_http import aws_clients
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEM = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}, "version": {"N": "2"}, "updated_at": {"S": "t"}}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "inventory")
    settings.cache_clear()
    client: DynamoDBClient = Session().create_client(  # type: ignore[assignment]
        "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(aws_clients, "dynamodb", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    client.close()
    settings.cache_clear()


def failed(stubber: Stubber, method: str, code: str, status: int = 400, **more: Any) -> None:
    stubber.add_client_error(method, code, http_status_code=status, modeled_fields=more or None)


def test_the_transaction_is_the_same_each_time(table: Stubber) -> None:
    requests = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        requests.append(params)

    aws_clients.dynamodb().meta.events.register("provide-client-params.dynamodb.TransactWriteItems", keep)
    for _ in range(2):
        table.add_response("transact_write_items", {})
        table.add_response("update_item", {"Attributes": ITEM})
        assert adjustments.adjust_once("A", -2, "order-1").qty == 3

    assert requests[0] == requests[1]
    assert len(requests[0]["ClientRequestToken"]) == 36


def test_a_retry_after_a_crash_between_the_two_calls_writes_the_time(table: Stubber) -> None:
    table.add_response("transact_write_items", {})
    failed(table, "update_item", "InternalServerError", 500)
    failed(table, "update_item", "AccessDeniedException")
    with pytest.raises(Exception, match="AccessDenied"):
        adjustments.adjust_once("A", -2, "order-1")

    table.add_response("transact_write_items", {})
    table.add_response(
        "update_item",
        {"Attributes": ITEM},
        {
            "TableName": "inventory",
            "Key": {"sku": {"S": "A"}},
            "UpdateExpression": "SET #updated_at = :now REMOVE #pending",
            "ConditionExpression": "#pending = :token",
            "ExpressionAttributeNames": {"#updated_at": "updated_at", "#pending": "pending_adjustment"},
            "ExpressionAttributeValues": ANY,
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    )
    assert adjustments.adjust_once("A", -2, "order-1").qty == 3


def test_an_adjustment_whose_answer_is_lost_is_not_made_twice(table: Stubber) -> None:
    failed(table, "update_item", "InternalServerError", 500)

    with pytest.raises(Problem) as refusal:
        adjustments.adjust("A", -2)

    assert refusal.value.status == 503


def test_contention_is_survived(table: Stubber) -> None:
    failed(table, "update_item", "TransactionConflictException")
    failed(table, "update_item", "ThrottlingException")
    table.add_response("update_item", {"Attributes": ITEM})

    assert adjustments.adjust("A", -2).qty == 3


NO_ITEM = {**ITEM, "qty": {"S": "20"}}


@pytest.mark.parametrize("key", [None, "order-1"])
def test_an_adjustment_of_what_is_no_item_is_refused_with_the_reason(table: Stubber, key: str | None) -> None:
    if key is None:
        failed(table, "update_item", "ConditionalCheckFailedException", Item=NO_ITEM)
    else:
        reasons = [{"Code": "ConditionalCheckFailed", "Item": NO_ITEM}]
        failed(table, "transact_write_items", "TransactionCanceledException", CancellationReasons=reasons)

    with pytest.raises(Problem, match="cannot be read: qty is not a number") as refusal:
        adjustments.adjust("A", -2) if key is None else adjustments.adjust_once("A", -2, key)

    assert refusal.value.status == 409


@pytest.mark.parametrize("key", [None, "order-1"])
def test_an_adjustment_that_was_made_says_so_although_the_item_cannot_be_read(table: Stubber, key: str | None) -> None:
    if key is not None:
        table.add_response("transact_write_items", {})
    table.add_response("update_item", {"Attributes": {**ITEM, "name": {"N": "1"}}})

    with pytest.raises(Problem, match="The quantity was changed, but the stored item A cannot be read") as refusal:
        adjustments.adjust("A", -2) if key is None else adjustments.adjust_once("A", -2, key)

    assert refusal.value.status == 409


def test_an_item_that_was_deleted_after_its_adjustment(table: Stubber) -> None:
    table.add_response("transact_write_items", {})
    failed(table, "update_item", "ConditionalCheckFailedException")

    with pytest.raises(Problem) as refusal:
        adjustments.adjust_once("A", -2, "order-1")

    assert refusal.value.status == 404
