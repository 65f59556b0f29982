"""A table is restored beside the one that was lost, with what a restoration leaves out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.recovery import restore
from pipeline.stages import DeploymentError, Stage

STAGE = Stage("prod", "shop-prod", "us-east-1", {})


class Account:
    """CloudFormation and DynamoDB with one table; notes each call."""

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}

    def describe_stacks(self, **_: str) -> Any:
        return {
            "Stacks": [
                {
                    "StackStatus": "UPDATE_COMPLETE",
                    "Outputs": [{"OutputKey": "TableName", "OutputValue": "shop-prod-T"}],
                }
            ]
        }

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803 (boto3's name)
        return {"Table": {"TableArn": f"arn:{TableName}", "DeletionProtectionEnabled": True}}

    def list_tags_of_resource(self, **_: str) -> Any:
        return {"Tags": [{"Key": "Stage", "Value": "prod"}, {"Key": "aws:cloudformation:stack-name", "Value": "x"}]}

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=lambda **given: self.calls.update({name: given["TableName"]}))

    def __getattr__(self, name: str) -> Any:
        return lambda **given: self.calls.update({name: given})


def test_it_gets_the_protection_the_recovery_and_the_tags_of_the_first() -> None:
    account = Account()
    name = restore(STAGE, "2026-11-20T12:00:00+01:00", account, account)
    assert name == "shop-prod-T-20261120T110000Z", "the boundary of the functions ends at the stack's name"
    restored = account.calls["restore_table_to_point_in_time"]
    assert (restored["SourceTableName"], restored["TargetTableName"]) == ("shop-prod-T", name)
    assert account.calls["table_exists"] == name
    assert account.calls["update_table"] == {"TableName": name, "DeletionProtectionEnabled": True}
    assert account.calls["update_continuous_backups"]["TableName"] == name
    assert account.calls["tag_resource"] == {"ResourceArn": f"arn:{name}", "Tags": [{"Key": "Stage", "Value": "prod"}]}


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-11-20T12:00:00", "2126-11-20T12:00:00Z"])
def test_what_is_no_moment_in_the_past_with_a_zone_is_refused(moment: str) -> None:
    with pytest.raises(DeploymentError, match="is no moment to go back to"):
        restore(STAGE, moment, Account(), Account())
