"""Bring the table of a stage back to a moment: DynamoDB restores it as a table of another name, beside the first.

Source: Amazon DynamoDB Developer Guide, "Restoring a DynamoDB table to a point in time": what is not restored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.stages import DeploymentError, Stage, read_outputs


def restore(stage: Stage, moment: str, cloudformation: Any, dynamodb: Any) -> str:
    """Restore the table of `stage` as it was at `moment` (`2026-11-26T12:00:00Z`); return the new table's name.

    It gets the protection, the recovery and the tags of the first, which a restoration leaves out. Waits until the
    table can be used. Raises DeploymentError when there is no stack, or `moment` is no time in the past with a zone.
    """
    outputs = read_outputs(stage.stack, ("TableName",), cloudformation)
    if outputs is None:
        raise DeploymentError(f"There is no stack {stage.stack} in {stage.region}: name a stage that is deployed.")
    at, source = _moment(moment), outputs["TableName"]
    target = f"{source[:220]}-{at:%Y%m%dT%H%M%SZ}"
    dynamodb.restore_table_to_point_in_time(SourceTableName=source, TargetTableName=target, RestoreDateTime=at)
    dynamodb.get_waiter("table_exists").wait(TableName=target, WaiterConfig={"Delay": 20, "MaxAttempts": 540})
    first = dynamodb.describe_table(TableName=source)["Table"]
    restored = dynamodb.describe_table(TableName=target)["Table"]
    dynamodb.update_table(TableName=target, DeletionProtectionEnabled=first.get("DeletionProtectionEnabled", False))
    dynamodb.update_continuous_backups(
        TableName=target, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    tags = dynamodb.list_tags_of_resource(ResourceArn=first["TableArn"])["Tags"]
    own = [tag for tag in tags if not tag["Key"].startswith("aws:")]
    if own:
        dynamodb.tag_resource(ResourceArn=restored["TableArn"], Tags=own)
    return target


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at > datetime.now(UTC):
        raise DeploymentError(f"{text!r} is no moment to go back to: say TIME=2026-11-26T12:00:00Z.")
    return at.astimezone(UTC)
