"""S3 deletes no bucket that holds anything, so the files go first; what stands in the way is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from pipeline.removal import remove
from pipeline.stages import DeploymentError, Stage

STAGE = Stage("dev-ann", "shop-dev-ann", "us-east-1", {})
ROLE = "arn:aws:iam::000000000000:role/execution"
VERSION = {"Key": "file", "VersionId": "1"}


class Account:
    """CloudFormation and S3 with a stack that has a bucket with a file; notes what is deleted, in order.

    `refused` is what S3 answers to a deletion, `failed` the events of a stack that cannot be deleted.
    """

    def __init__(self, refused: list[dict[str, str]] | None = None, failed: list[dict[str, str]] | None = None) -> None:
        self.deleted: list[Any] = []
        self._refused = refused or []
        self._failed = failed

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 (boto3's name)
        outputs = {"ArtifactBucketName": "packages", "ExecutionRoleArn": ROLE}
        listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        return {"Stacks": [{"StackId": f"{StackName}-id", "StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}

    def describe_stack_events(self, **_: str) -> Any:
        return {"StackEvents": self._failed}

    def delete_stack(self, **given: str) -> None:
        self.deleted.append(given)

    def delete_objects(self, *, Bucket: str, Delete: Any) -> Any:  # noqa: N803 (boto3's names)
        self.deleted.append((Bucket, Delete["Objects"]))
        return {"Errors": self._refused}

    def get_paginator(self, name: str) -> Any:
        bucket = {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "files", "ResourceStatus": "CREATE_COMPLETE"}
        gone = {**bucket, "PhysicalResourceId": "never", "ResourceStatus": "CREATE_FAILED"}
        topic = {**bucket, "ResourceType": "AWS::SNS::Topic", "PhysicalResourceId": "topic"}
        pages = {
            "list_stack_resources": {"StackResourceSummaries": [topic, gone, bucket]},
            "list_object_versions": {"Versions": [VERSION]},
        }
        return SimpleNamespace(paginate=lambda **_: [pages[name]])

    def get_waiter(self, name: str) -> Any:
        return SimpleNamespace(wait=self._wait)

    def _wait(self, **_: Any) -> None:
        if self._failed is not None:
            raise WaiterError("StackDeleteComplete", "failed", {})


def test_the_files_go_before_the_stack_and_its_packages_after_it() -> None:
    account = Account()
    assert remove(STAGE, lambda _: account) is True
    stack = {"StackName": "shop-dev-ann-id", "RoleARN": ROLE}
    assert account.deleted == [("files", [VERSION]), stack, ("packages", [VERSION])]


def test_a_stack_that_cannot_be_deleted_is_said_with_the_reason() -> None:
    failed = {
        "LogicalResourceId": "Table",
        "ResourceStatus": "DELETE_FAILED",
        "ResourceStatusReason": "protected",
    }
    later = {**failed, "LogicalResourceId": "shop-dev-ann", "ResourceStatusReason": "[Table] failed"}
    account = Account(failed=[later, failed])
    with pytest.raises(DeploymentError, match=r"could not be deleted \(Table: protected\).*make remove STAGE=dev-a"):
        remove(STAGE, lambda _: account)


def test_a_stack_that_takes_too_long_is_said() -> None:
    with pytest.raises(DeploymentError, match="it takes too long"):
        remove(STAGE, lambda _: Account(failed=[]))


def test_a_file_that_cannot_be_deleted_is_named() -> None:
    account = Account(refused=[{"Key": "file", "Code": "AccessDenied"}])
    with pytest.raises(DeploymentError, match=r"^file in files cannot be deleted \(AccessDenied\)"):
        remove(STAGE, lambda _: account)
    assert len(account.deleted) == 1, "the stack is still there"
