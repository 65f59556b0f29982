"""The table is restored in the emulated DynamoDB, with its items as they were, and what a restoration leaves out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.clients import Clients
from pipeline.recovery import restore
from pipeline.stages import Stage
from tests.integration.emulator.conftest import running_ministack

STAGE = Stage("prod", "shop-prod", "us-east-1", {})
TABLE = "shop-prod-ShopInventory"
TAGS = [{"Key": "Stage", "Value": "prod"}]


class CloudFormation:
    """A stack whose table is TABLE."""

    def describe_stacks(self, **_: str) -> Any:
        outputs = [{"OutputKey": "TableName", "OutputValue": TABLE}]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Outputs": outputs}]}


@pytest.fixture
def dynamodb(tmp_path: Path) -> Iterator[Any]:
    with running_ministack(tmp_path / "log") as server:
        client: Any = Clients(server.endpoint, "us-east-1").named("dynamodb")
        client.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
            Tags=TAGS,
        )
        client.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        client.put_item(TableName=TABLE, Item={"sku": {"S": "KEPT"}})
        yield client


def test_the_table_is_restored_beside_the_first(dynamodb: Any) -> None:
    time.sleep(1)  # a moment has whole seconds
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = restore(STAGE, moment, CloudFormation(), dynamodb)
    assert dynamodb.get_item(TableName=name, Key={"sku": {"S": "KEPT"}})["Item"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == TAGS
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_table(TableName=TABLE)["Table"]["TableName"] == TABLE
