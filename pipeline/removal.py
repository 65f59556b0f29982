"""Remove a stack of one's own, with all that is in it: its files, its packages, the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import WaiterError

from pipeline.stages import Clients, DeploymentError, Stage, describe_stack, read_bootstrap

_WAIT: Final = {"Delay": 10, "MaxAttempts": 180}
_BUCKET: Final = "AWS::S3::Bucket"


def remove(stage: Stage, clients: Clients, waits: Mapping[str, int] | None = None) -> bool:
    """Delete the stack of `stage`, and what is in its buckets first; tell whether there was one.

    `waits` are the Delay (seconds) and MaxAttempts of the wait for it. Raises DeploymentError for a stage that is not
    somebody's own, and when the stack cannot be deleted.
    """
    if not stage.is_own:
        raise DeploymentError(f"{stage.name} is nobody's own stack: say STAGE=dev-NAME.")
    cloudformation, s3 = clients("cloudformation"), clients("s3")
    bootstrap = read_bootstrap(stage, cloudformation)
    described = describe_stack(stage.stack, cloudformation, reviewed=True)
    if described is not None:
        stack_id = described["StackId"]  # by which it is known when it is gone
        for bucket in _buckets(stack_id, cloudformation):
            empty_bucket(bucket, s3)
        cloudformation.delete_stack(StackName=stack_id, RoleARN=bootstrap.execution_role)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=waits or _WAIT)
        except WaiterError as error:
            raise DeploymentError(
                f"{stage.stack} could not be deleted ({_reason(stack_id, cloudformation)}): take away what stands in "
                f"the way, and `make remove STAGE={stage.name}` again."
            ) from error
    empty_bucket(bootstrap.bucket, s3, f"{stage.stack}/")
    return described is not None


def empty_bucket(name: str, s3: Any, prefix: str = "") -> None:
    """Delete every version of every object under `prefix`, without which S3 refuses to delete a bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        if not objects:
            continue
        refused = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}).get("Errors", [])
        if refused:
            raise DeploymentError(
                f"{refused[0]['Key']} in {name} cannot be deleted ({refused[0].get('Code')}): delete it by hand first."
            )


def _buckets(stack_id: str, cloudformation: Any) -> list[str]:
    """Return the buckets of a stack that exist; one that failed has some that do not."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_id)
    resources = (resource for page in pages for resource in page["StackResourceSummaries"])
    return [
        resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == _BUCKET
        and resource["ResourceStatus"] not in ("CREATE_FAILED", "DELETE_COMPLETE")
        and resource.get("PhysicalResourceId")
    ]


def _reason(stack_id: str, cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "DELETE_FAILED"]  # the newest first
    if not failed:
        return "it takes too long"
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', 'no reason given')}"
