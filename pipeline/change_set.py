"""Preview a deployment: the changes that CloudFormation would make, as a table, and nothing made."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pipeline.deployment import PACKAGE, sam_deploy_command
from pipeline.stages import DeploymentError, Stage, describe_stack, read_bootstrap

_CHANGE_SET: Final = re.compile(r"arn:[a-z-]+:cloudformation:\S+:changeSet/\S+")


def preview(stage: Stage, cloudformation: Any) -> str:
    """Return the changes that deploying the package would make, in Markdown; the change set is deleted again.

    Raises DeploymentError when there is no package, or sam cannot make a change set.
    """
    if not PACKAGE.is_file():
        raise DeploymentError("There is no package to preview: run `make package`.")
    if describe_stack(stage.stack, cloudformation) is None:
        return f"There is no stack {stage.stack} yet: a deployment makes everything that template.yaml declares.\n"
    bucket = read_bootstrap(stage, cloudformation).bucket
    # Where deployments read, a pull request must not write.
    arguments = ["--no-execute-changeset", "--s3-bucket", bucket, "--s3-prefix", "preview"]
    made = subprocess.run(sam_deploy_command(stage, arguments), capture_output=True, text=True, check=False)
    found = _CHANGE_SET.search(made.stdout)
    if made.returncode:
        raise DeploymentError(f"sam made no change set:\n{made.stdout}{made.stderr}")
    if found is None:
        return f"Nothing changes in {stage.stack}.\n"
    try:
        pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=found[0])
        return change_table(stage.stack, [change["ResourceChange"] for page in pages for change in page["Changes"]])
    finally:
        cloudformation.delete_change_set(ChangeSetName=found[0])


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
