"""The releases of a stage: each template and parameter set that was deployed, kept in the artifact bucket.

CloudFormation rolls back an update that fails; it does not go back from one that succeeded (API reference,
RollbackStack). A release is what that takes: the template as sam packaged it, whose code lies in the same bucket, and
the values of its parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.stages import DeploymentError, Stage, describe_stack

AT_ONCE: Final[Mapping[str, str]] = {"DeploymentType": "AllAtOnce"}
"""A rollback is not tried on a tenth of the traffic; CodeDeploy, its history and the check before traffic stay."""
WITHOUT_CODEDEPLOY: Final[Mapping[str, str]] = {"GradualDeployment": "false"}


@dataclass(frozen=True)
class Release:
    """A template and its parameters. `time` is UTC, `20261121T235959Z`; `commit` is where they were built, if known.

    `versions` are the versions of the functions that it published, numbers by the ARNs of their aliases.
    """

    template: str
    parameters: Mapping[str, str]
    time: str
    commit: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def is_same_as(self, other: Release) -> bool:
        """Tell whether deploying `other` over this would change nothing but the way of deploying."""
        way = {**AT_ONCE, **WITHOUT_CODEDEPLOY}
        return self.template == other.template and {**self.parameters, **way} == {**other.parameters, **way}


def read_deployed(
    stage: Stage, cloudformation: Any, commit: str = "", versions: Mapping[str, str] | None = None
) -> Release:
    """Return what the stack of `stage` runs now. Raises DeploymentError when there is no stack."""
    described = describe_stack(stage.stack, cloudformation)
    if described is None:
        raise DeploymentError(f"There is no stack {stage.stack} in {stage.region}: `make deploy STAGE={stage.name}`.")
    body = cloudformation.get_template(StackName=stage.stack, TemplateStage="Original")["TemplateBody"]
    template = body if isinstance(body, str) else json.dumps(body)  # botocore parses a template in JSON
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in described.get("Parameters", [])}
    return Release(template, parameters, datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), commit, versions or {})


class Releases:
    """The kept releases of one stage, oldest first, as objects under `<stack>/releases/` in the artifact bucket."""

    def __init__(self, stage: Stage, bucket: str, s3: Any) -> None:
        self._bucket = bucket
        self._prefix = f"{stage.stack}/releases/"
        self._s3 = s3

    def keep(self, release: Release) -> bool:
        """Keep `release`; tell whether it is new. The newest one, deployed again, takes its commit and versions."""
        kept = self.read_all()
        is_new = not kept or not kept[-1].is_same_as(release)
        self.write(release if is_new else replace(kept[-1], commit=release.commit, versions=release.versions))
        return is_new

    def write(self, release: Release) -> None:
        """Write `release` under its time."""
        self._s3.put_object(Bucket=self._bucket, Key=self._key(release), Body=json.dumps(asdict(release)).encode())

    def commit_of(self, deployed: Release) -> str:
        """Return the commit of what is deployed; empty when it was never kept."""
        return next((one.commit for one in reversed(self.read_all()) if one.is_same_as(deployed)), "")

    def read_all(self) -> Sequence[Release]:
        """Return all releases, oldest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        keys = sorted(item["Key"] for page in pages for item in page.get("Contents", []))
        bodies = (self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read() for key in keys)
        return [Release(**json.loads(body)) for body in bodies]

    def forget(self, releases: Sequence[Release]) -> None:
        """Take `releases` out of what a rollback may return to; the bucket keeps their old versions for a while."""
        for release in releases:
            self._s3.delete_object(Bucket=self._bucket, Key=self._key(release))

    def _key(self, release: Release) -> str:
        return f"{self._prefix}{release.time}.json"


def split_at_previous(kept: Sequence[Release], deployed: Release) -> tuple[Release, Sequence[Release]] | None:
    """Return the release before the one that is deployed, and the releases after it; None when there is none.

    What is deployed and was never kept counts as newer than all that was.
    """
    # A rollback that could not forget what it replaced leaves it in `kept`: never forward to it again.
    alike = [index for index, release in enumerate(kept) if release.is_same_as(deployed)]
    for index in reversed(range(alike[-1] if alike else len(kept))):
        if not kept[index].is_same_as(deployed):
            return kept[index], kept[index + 1 :]
    return None
