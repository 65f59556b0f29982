"""What keeps production's stack and its data from a mistake: termination protection, a stack policy, drift."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from pipeline.stages import DeploymentError, Stage

PROTECTED_STAGE: Final = "prod"
DATA: Final = ("ApiKeySecret", "DataBucket", "ShopInventory", "ShopKey", "ShopSecret")
"""The resources whose replacement or removal loses data: the template retains them in production."""
_POLLS: Final = 120
_POLL_SECONDS: Final = 5


def protect(stage: Stage, cloudformation: Any) -> None:
    """Let nobody delete the stack of production, and no update replace or remove what holds its data."""
    if stage.name != PROTECTED_STAGE:
        return
    cloudformation.update_termination_protection(StackName=stage.stack, EnableTerminationProtection=True)
    cloudformation.set_stack_policy(StackName=stage.stack, StackPolicyBody=json.dumps(stack_policy()))


def stack_policy() -> dict[str, Any]:
    """Return the policy (AWS CloudFormation User Guide, "Prevent updates to stack resources")."""
    resources = [f"LogicalResourceId/{name}" for name in DATA]
    everything = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    data = {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": resources}
    return {"Statement": [everything, data]}


def drift(stage: Stage, cloudformation: Any) -> str:
    """Return, in Markdown, what was changed by hand in the stack. Raises DeploymentError when AWS cannot tell."""
    detection = cloudformation.detect_stack_drift(StackName=stage.stack)["StackDriftDetectionId"]
    for _ in range(_POLLS):
        found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(_POLL_SECONDS)
    if found["DetectionStatus"] != "DETECTION_COMPLETE":
        reason = found.get("DetectionStatusReason", "it takes too long")
        raise DeploymentError(f"The drift of {stage.stack} could not be told ({reason}): try again later.")
    statuses = ["MODIFIED", "DELETED"]
    pages = cloudformation.describe_stack_resource_drifts(
        StackName=stage.stack, StackResourceDriftStatusFilters=statuses
    )
    drifts = pages["StackResourceDrifts"]
    if not drifts:
        return f"Nothing in {stage.stack} was changed by hand.\n"
    lines = [
        f"What was changed by hand in {stage.stack}:",
        "",
        "| resource | type | how | properties |",
        "|---|---|---|---|",
    ]
    for one in sorted(drifts, key=lambda each: str(each["LogicalResourceId"])):
        paths = ", ".join(change["PropertyPath"] for change in one.get("PropertyDifferences", []))
        lines.append(
            f"| {one['LogicalResourceId']} | {one['ResourceType']} | {one['StackResourceDriftStatus']} | {paths} |"
        )
    return "\n".join(lines) + "\n"
