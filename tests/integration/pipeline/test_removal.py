"""A stack of one's own goes from the emulated account with all that is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.clients import Clients
from pipeline.removal import empty_bucket, remove
from pipeline.stages import Stage
from tests.integration.emulator.conftest import running_ministack

REGION = "us-east-1"
STAGE = Stage("dev-ann", "shop-dev-ann", REGION, {})
PACKAGES = "packages"
WAITS = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Any]:
    with running_ministack(tmp_path / "log") as server:
        clients: Any = Clients(server.endpoint, REGION).named
        clients("s3").create_bucket(Bucket=PACKAGES)
        outputs = {"ArtifactBucketName": PACKAGES, "ExecutionRoleArn": "arn:aws:iam::000000000000:role/any"}
        bootstrap = {
            "Resources": {"Any": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        create(clients, STAGE.bootstrap_stack, bootstrap)
        yield clients


def create(clients: Any, stack: str, template: dict[str, Any]) -> None:
    clients("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    clients("cloudformation").get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=WAITS)


def write_twice(clients: Any, bucket: str, key: str) -> None:
    """Leave two versions and a delete marker under `key`."""
    versioning = {"Status": "Enabled"}
    clients("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    for _ in range(2):
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
    clients("s3").delete_object(Bucket=bucket, Key=key)


def versions(clients: Any, bucket: str) -> list[str]:
    listed = clients("s3").list_object_versions(Bucket=bucket)
    return [one["Key"] for one in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))]


def test_the_stack_its_files_and_its_packages_go_and_nobody_elses(clients: Any) -> None:
    create(clients, STAGE.stack, {"Resources": {"DataBucket": {"Type": "AWS::S3::Bucket"}}})
    bucket = clients("cloudformation").describe_stack_resources(StackName=STAGE.stack)["StackResources"][0][
        "PhysicalResourceId"
    ]
    write_twice(clients, bucket, "file")
    write_twice(clients, PACKAGES, f"{STAGE.stack}/package")
    clients("s3").put_object(Bucket=PACKAGES, Key="shop-dev-anna/package", Body=b"x")
    assert remove(STAGE, clients, waits=WAITS) is True
    with pytest.raises(ClientError, match="does not exist"):
        clients("cloudformation").describe_stacks(StackName=STAGE.stack)
    assert bucket not in [each["Name"] for each in clients("s3").list_buckets()["Buckets"]]
    assert versions(clients, PACKAGES) == ["shop-dev-anna/package"]
    assert remove(STAGE, clients, waits=WAITS) is False, "once more does no harm"


def test_a_stack_that_only_has_a_change_set_goes_too(clients: Any) -> None:
    clients("cloudformation").create_change_set(
        StackName=STAGE.stack,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Any": {"Type": "AWS::SNS::Topic"}}}),
    )
    assert remove(STAGE, clients, waits=WAITS) is True


def test_a_bucket_is_emptied_of_every_version(clients: Any) -> None:
    write_twice(clients, PACKAGES, "twice")
    empty_bucket(PACKAGES, clients("s3"))
    assert versions(clients, PACKAGES) == []
