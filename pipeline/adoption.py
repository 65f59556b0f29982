"""Take the resources that a lost stack left behind into a new stack of its name, by CloudFormation's import.

Source: AWS CloudFormation User Guide, "Import AWS resources into a CloudFormation stack with a resource import": each
resource has a DeletionPolicy, the template holds nothing but what is imported, and no outputs and no tags come with it.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError, WaiterError

from pipeline.releases import Release, Releases
from pipeline.stages import Clients, DeploymentError, Stage, describe_stack, read_bootstrap
from sam_template import Template
from sam_template.repository import TEMPLATE

IDENTIFIERS: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::KMS::Key": "KeyId",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
}
"""The property that names an existing resource, by type: the type's primary identifier, which is also its `Ref`."""
_CHANGE_SET: Final = "adopt"
_SECTIONS: Final = ("Parameters", "Mappings", "Conditions")
_WAIT: Final = {"Delay": 5, "MaxAttempts": 360}
_NOTHING_IMPORTED: Final = ("IMPORT_ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE")
_DELETED: Final = ["DELETE_COMPLETE"]


def adopt(
    stage: Stage, clients: Clients, names: Mapping[str, str] | None = None, waits: Mapping[str, int] | None = None
) -> Mapping[str, str]:
    """Import what the lost stack of `stage` left behind; return the names of the resources by their logical ids.

    `names` are those names, where CloudFormation has forgotten the stack: it does so after ninety days. They are taken
    into the template of the newest release, so that the next deployment sees what template.yaml has changed since.
    `waits` are the Delay (seconds) and MaxAttempts of each wait. Raises DeploymentError when the stack is there,
    nothing is known to be left, or CloudFormation refuses.
    """
    cloudformation = clients("cloudformation")
    described = describe_stack(stage.stack, cloudformation)
    if described is not None:
        raise DeploymentError(
            f"The stack {stage.stack} is there, in {described['StackStatus']}: deploy, or delete it when nothing of it "
            "is of use."
        )
    bootstrap = read_bootstrap(stage, cloudformation)
    kept = Releases(stage, bootstrap.bucket, clients("s3")).read_all()
    template, importable = import_template(stage, kept[-1] if kept else None)
    found = names or left_behind(stage.stack, cloudformation)
    unknown = sorted(set(names or {}) - set(importable))
    if unknown:
        raise DeploymentError(
            f"{', '.join(unknown)} is nothing that {stage.name} retains: name {', '.join(sorted(importable))}."
        )
    adopted = {name: found[name] for name in importable if found.get(name)}
    if not adopted:
        raise DeploymentError(
            f"CloudFormation knows of nothing that a stack {stage.stack} left behind: name what is there with "
            f'RESOURCES="{" ".join(f"{name}=…" for name in importable)}", or make everything anew with '
            f"`make deploy STAGE={stage.name}`."
        )
    template["Resources"] = {name: template["Resources"][name] for name in adopted}
    parameters = kept[-1].parameters if kept else stage.parameters
    _import(stage.stack, template, parameters, adopted, cloudformation, bootstrap.execution_role, waits or _WAIT)
    return adopted


def left_behind(stack: str, cloudformation: Any) -> dict[str, str]:
    """Return what the last stack named `stack` left when it was deleted: physical ids by logical ids."""
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=_DELETED)
    lost = [each for page in pages for each in page["StackSummaries"] if each["StackName"] == stack]
    if not lost:
        return {}
    stack_id = max(lost, key=lambda each: str(each.get("DeletionTime", each["CreationTime"])))["StackId"]
    events = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    left: dict[str, str] = {}
    for event in (each for page in events for each in page["StackEvents"]):  # the newest first
        status = event["ResourceStatus"]
        if event["PhysicalResourceId"] == stack_id and not status.startswith("DELETE_"):
            break  # what was skipped before its deletion was replaced
        if status == "DELETE_SKIPPED":
            left.setdefault(event["LogicalResourceId"], event["PhysicalResourceId"])
    return left


def import_template(stage: Stage, release: Release | None) -> tuple[dict[str, Any], list[str]]:
    """Return a template with nothing but what `stage` retains, and the logical ids of that.

    It is the template of `release`, or without one template.yaml. Conditions and references stay as they are declared,
    so that an update by the same template changes no property; the policies are decided, which takes no transform.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = TEMPLATE
        if release:
            path = Path(folder, "template.yaml")
            path.write_text(release.template, encoding="utf-8")
        loaded = Template.load(path, release.parameters if release else stage.parameters, region=stage.region)
        retained = {}
        for name, resource in loaded.resources.items():
            policy = str(loaded.evaluated(name, "DeletionPolicy")) if "DeletionPolicy" in resource else ""
            if policy.startswith("Retain") and resource["Type"] in IDENTIFIERS:
                # Whatever becomes of the import, nothing is deleted; the next deployment sets what is declared.
                retained[name] = {**resource, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    template |= {name: loaded.section(name) for name in _SECTIONS if loaded.section(name)}
    return {**template, "Resources": retained}, list(retained)


def _import(
    stack: str,
    template: Mapping[str, Any],
    values: Mapping[str, str],
    adopted: Mapping[str, str],
    cloudformation: Any,
    role: str,
    waits: Mapping[str, int],
) -> None:
    resources, declared = template["Resources"], template.get("Parameters", {})
    created = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=_CHANGE_SET,
        ChangeSetType="IMPORT",
        RoleARN=role,
        TemplateBody=json.dumps(template, separators=(",", ":")),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in values.items() if name in declared
        ],
        ResourcesToImport=[
            {
                "ResourceType": resources[name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": {IDENTIFIERS[resources[name]["Type"]]: physical_id},
            }
            for name, physical_id in adopted.items()
        ],
    )
    change_set = {"StackName": stack, "ChangeSetName": _CHANGE_SET}
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**change_set, WaiterConfig=waits)
        cloudformation.execute_change_set(**change_set)
        cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=waits)
    except (WaiterError, ClientError) as error:
        reason = _reason(change_set, cloudformation)
        status = str((describe_stack(stack, cloudformation) or {}).get("StackStatus", ""))
        if status in ("", *_NOTHING_IMPORTED):  # else the next try would find a stack in its way
            cloudformation.delete_stack(StackName=created["StackId"])
            deleted = cloudformation.get_waiter("stack_delete_complete")
            with contextlib.suppress(WaiterError):  # the next try says in what state the stack is
                deleted.wait(StackName=created["StackId"], WaiterConfig=waits)
        raise DeploymentError(
            f"CloudFormation imports nothing ({reason}): say with RESOURCES what is there, by its name or, for a "
            "secret, its ARN."
        ) from error


def _reason(change_set: Mapping[str, str], cloudformation: Any) -> str:
    described = cloudformation.describe_change_set(**change_set)
    if described["ExecutionStatus"] in ("UNAVAILABLE", "AVAILABLE"):
        return str(described.get("StatusReason", described["Status"]))
    events = cloudformation.describe_stack_events(StackName=change_set["StackName"])["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]  # the newest first
    return str(failed[-1].get("ResourceStatusReason")) if failed else str(described["ExecutionStatus"])
