"""Preview a deployment: the changes that CloudFormation would make, as a table, and nothing made."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pipeline.deployment import PACKAGE, sam_deploy_command
from pipeline.stages import Clients, DeploymentError, Stage, describe_stack, read_bootstrap

WAITS: Final = 20
WAIT_SECONDS: Final = 15  # five minutes in all: a deployment to staging moves its traffic at once
_CHANGE_SET: Final = re.compile(r"arn:[a-z-]+:cloudformation:\S+:changeSet/\S+")


def preview(stage: Stage, clients: Clients) -> str:
    """Return the changes that deploying the package would make, in Markdown; the change set is deleted again.

    While the stack is being changed there is none: it waits for a while, and then says so. Raises DeploymentError when
    there is no package, or sam cannot make a change set.
    """
    if not PACKAGE.is_file():
        raise DeploymentError("There is no package to preview: run `make package`.")
    cloudformation = clients("cloudformation")
    described = _settled(stage.stack, cloudformation)
    if described is None:
        return f"There is no stack {stage.stack} yet: a deployment makes everything that template.yaml declares.\n"
    if _is_changing(described["StackStatus"]):
        return _no_preview(stage.stack)
    bucket = read_bootstrap(stage, cloudformation).bucket
    # Where deployments read, a pull request must not write.
    arguments = ["--no-execute-changeset", "--s3-bucket", bucket, "--s3-prefix", "preview"]
    made = subprocess.run(sam_deploy_command(stage, arguments), capture_output=True, text=True, check=False)
    found = _CHANGE_SET.search(made.stdout)
    if made.returncode:
        # A deployment may have begun meanwhile, and CloudFormation changes a stack once at a time.
        if _is_changing(str((describe_stack(stage.stack, cloudformation) or {}).get("StackStatus"))):
            return _no_preview(stage.stack)
        raise DeploymentError(f"sam made no change set:\n{made.stdout}{made.stderr}")
    if found is None:
        return f"Nothing changes in {stage.stack}.\n"
    try:
        pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=found[0])
        return change_table(stage.stack, [change["ResourceChange"] for page in pages for change in page["Changes"]])
    finally:
        cloudformation.delete_change_set(ChangeSetName=found[0])


def _settled(stack: str, cloudformation: Any) -> Mapping[str, Any] | None:
    """Return the description of `stack` once nothing changes it any more, or when that takes too long."""
    for _ in range(WAITS):
        described = describe_stack(stack, cloudformation)
        if described is None or not _is_changing(described["StackStatus"]):
            return described
        time.sleep(WAIT_SECONDS)
    return describe_stack(stack, cloudformation)


def _is_changing(status: str) -> bool:
    return status.endswith("_IN_PROGRESS")


def _no_preview(stack: str) -> str:
    return f"There is no preview: {stack} is being changed. Run this again once that has ended.\n"


def change_table(stack: str, changes: Iterable[Mapping[str, Any]]) -> str:
    """Return a Markdown table of `changes`, what is replaced or removed first: it can lose data."""
    rows = sorted(changes, key=lambda change: (_harmless(change), change["LogicalResourceId"]))
    if not rows:
        return f"Nothing changes in {stack}.\n"
    lines = [f"What deploying changes in {stack}:", "", "| action | resource | type | replaced |", "|---|---|---|---|"]
    for change in rows:
        columns = (change["Action"], change["LogicalResourceId"], change["ResourceType"], change.get("Replacement", ""))
        lines.append("| " + " | ".join(columns) + " |")
    return "\n".join(lines) + "\n"


def _harmless(change: Mapping[str, Any]) -> bool:
    return str(change["Action"]) != "Remove" and str(change.get("Replacement", "False")) == "False"
