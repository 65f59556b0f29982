"""A stage: its stack as `samconfig.toml` names it, and what its `pipeline/bootstrap.yaml` made."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CONFIGURATION: Final = Path("samconfig.toml")
DEVELOPMENT: Final = "dev"
"""The section of samconfig.toml, and the bootstrap, that every stack of one's own shares."""
_OWN: Final = re.compile(r"dev-[a-z0-9-]{1,20}")  # as the parameter Stage of template.yaml
Clients = Callable[[str], Any]
"""Given a service as boto3 names it, its client in the stage's region."""


class DeploymentError(Exception):
    """A step of a deployment that cannot be done; the message is one sentence with the remedy."""


@dataclass(frozen=True)
class Stage:
    """A deployed environment: `stack` is the name of its stack.

    `name` is its section in samconfig.toml, or `dev-NAME` for somebody's own stack.
    """

    name: str
    stack: str
    region: str
    parameters: Mapping[str, str]

    @property
    def is_own(self) -> bool:
        """Whether the stack is somebody's own, which lives a short time and keeps nothing."""
        return _OWN.fullmatch(self.name) is not None

    @property
    def section(self) -> str:
        """Return the section of samconfig.toml that has the settings of the stage."""
        return DEVELOPMENT if self.is_own else self.name

    @property
    def bootstrap_stack(self) -> str:
        """The stack of the stage's roles and artifact bucket."""
        return f"shop-bootstrap-{self.section}"


@dataclass(frozen=True)
class Bootstrap:
    """What a deployment needs of the bootstrap: the bucket for packages, and the role that CloudFormation acts as."""

    bucket: str
    execution_role: str


def read_stage(name: str, configuration: Path = CONFIGURATION) -> Stage:
    """Return stage `name` as samconfig.toml declares it. Raises DeploymentError for a name that is no stage."""
    sections = tomllib.loads(configuration.read_text(encoding="utf-8"))
    if _OWN.fullmatch(name):
        settings = sections[DEVELOPMENT]["deploy"]["parameters"]
        return Stage(name, f"shop-{name}", settings["region"], {**settings["parameter_overrides"], "Stage": name})
    stages = [section for section, commands in sections.items() if _is_stage(section, commands)]
    if name not in stages:
        listed = " or STAGE=".join([*stages, "dev-NAME"])
        raise DeploymentError(
            f"{name!r} is no stage of {configuration.name}: say STAGE={listed}, of small letters, digits and hyphens."
        )
    settings = sections[name]["global"]["parameters"]
    parameters = sections[name]["deploy"]["parameters"]["parameter_overrides"]
    return Stage(name, settings["stack_name"], settings["region"], parameters)


def _is_stage(section: str, commands: object) -> bool:
    """Tell whether a section deploys the stage that it is named after; the rehearsal's does not."""
    if not isinstance(commands, dict):
        return False
    overrides = commands.get("deploy", {}).get("parameters", {}).get("parameter_overrides")
    return isinstance(overrides, dict) and overrides.get("Stage") == section


def read_bootstrap(stage: Stage, cloudformation: Any) -> Bootstrap:
    """Return what the bootstrap of `stage` made. Raises DeploymentError when it is not there, or not complete."""
    found = read_outputs(stage.bootstrap_stack, ("ArtifactBucketName", "ExecutionRoleArn"), cloudformation)
    if found is None:
        raise DeploymentError(
            f"There is no stack {stage.bootstrap_stack} in {stage.region}: an administrator makes it once with "
            f"`make bootstrap STAGE={stage.section} REPOSITORY=ORG/REPO`."
        )
    return Bootstrap(found["ArtifactBucketName"], found["ExecutionRoleArn"])


def read_outputs(stack: str, names: Iterable[str], cloudformation: Any) -> Mapping[str, str] | None:
    """Return the outputs `names` of `stack`, or None when there is no such stack.

    Raises DeploymentError when the stack lacks one of them, as one does that is being created or could not be.
    """
    described = describe_stack(stack, cloudformation)
    if described is None:
        return None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    for name in names:
        if name not in outputs:
            raise DeploymentError(
                f"{stack} is in {described['StackStatus']} and has no output {name}: wait until it is complete, or "
                "delete it when its creation has failed."
            )
    return outputs


def describe_stack(stack: str, cloudformation: Any, *, reviewed: bool = False) -> Mapping[str, Any] | None:
    """Return CloudFormation's description of `stack`, or None when it was never created.

    One that has only a change set was never created either, unless `reviewed`.
    """
    from botocore.exceptions import ClientError

    try:
        described: Mapping[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):  # the API has no code of its own for it
            return None
        raise
    return None if described["StackStatus"] == "REVIEW_IN_PROGRESS" and not reviewed else described
