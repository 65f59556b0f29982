"""Which IAM actions authorise the operations of AWS services."""

from __future__ import annotations

import pytest

from pipeline.permissions import iam_actions as module
from pipeline.permissions.iam_actions import UnknownActionError, client_methods, iam_actions


@pytest.mark.parametrize(
    ("service", "method", "actions"),
    [
        ("dynamodb", "put_item", {"dynamodb:PutItem"}),
        ("dynamodb", "batch_get_item", {"dynamodb:BatchGetItem"}),
        ("secretsmanager", "get_secret_value", {"secretsmanager:GetSecretValue"}),
        (
            "codedeploy",
            "put_lifecycle_event_hook_execution_status",
            {"codedeploy:PutLifecycleEventHookExecutionStatus"},
        ),
        ("lambda", "invoke", {"lambda:InvokeFunction"}),
        ("s3", "head_object", {"s3:GetObject"}),
        ("s3", "list_objects_v2", {"s3:ListBucket"}),
        ("s3", "copy_object", {"s3:GetObject", "s3:PutObject"}),
        ("sesv2", "send_email", {"ses:SendEmail"}),
        ("cloudwatch", "put_metric_data", {"cloudwatch:PutMetricData"}),
    ],
)
def test_an_operation_needs_its_actions(service: str, method: str, actions: set[str]) -> None:
    assert iam_actions(service, method) == actions


def test_a_transaction_needs_what_its_members_need() -> None:
    members = frozenset({"Put", "Update", "Delete", "ConditionCheck"})
    assert iam_actions("dynamodb", "transact_write_items", members) == {
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
    }


@pytest.mark.parametrize("members", [frozenset(), frozenset({"Upsert"})])
def test_a_transaction_must_spell_out_its_members(members: frozenset[str]) -> None:
    with pytest.raises(UnknownActionError, match="spell out TransactItems"):
        iam_actions("dynamodb", "transact_write_items", members)


def test_a_statement_in_a_text_cannot_be_told() -> None:
    with pytest.raises(UnknownActionError, match="the text of a statement says what it does"):
        iam_actions("dynamodb", "execute_statement")


def test_every_operation_that_is_listed_exists() -> None:
    for operation in (*module._ACTIONS, *module._SAID_IN_A_TEXT):
        service, _, name = operation.partition(":")
        assert name in module._operations(service).values(), operation


def test_a_service_that_does_not_exist_has_no_methods() -> None:
    assert client_methods("dynamo") == frozenset()
