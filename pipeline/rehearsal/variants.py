"""The sets of parameters that a rehearsal deploys besides its own: the same packages, in stacks beside the first.

The environment `rehearsal` of samconfig.toml has everything on that the emulated CloudFormation knows. The others are
production's own parameters, the template's defaults, those of a stack of one's own, and a secret that exists already.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pipeline.rehearsal.comparison import Row, require_all_explained
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import Deployed
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.gaps import GAPS
from pipeline.rehearsal.services import Services
from pipeline.rehearsal.settings import Settings
from pipeline.rehearsal.step import expect
from pipeline.stages import Stage, read_stage
from sam_template import Template
from sam_template.repository import SAMCONFIG

EXISTING_SECRET: Final = "ExistingSecretArn"  # noqa: S105 (a parameter's name)
_EXAMPLE_ARN: Final = "arn:aws:secretsmanager:us-east-1:000000000000:secret:existing-abcdef"
_KEY: Final = "variants.template"
_SECONDS: Final = 60
WAITS: Final = {"Delay": 1, "MaxAttempts": 60}
"""How boto3 waits for the emulated CloudFormation."""
_STATEMENT: Final = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "cloudformation.amazonaws.com"},
}
_TRUST: Final = {"Version": "2012-10-17", "Statement": [_STATEMENT]}
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Variant:
    """A set of parameters: `name` is a part of its stack's, `described` says in half a sentence what is different."""

    name: str
    described: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def variants(settings: Settings, template: Path) -> tuple[Variant, ...]:
    """Return the variants of the template at `template`; parameters that it does not have are left out."""
    declared = Template.load(template, {}, region=settings.region).parameters
    listed = [
        Variant("prod", "production's own parameters", read_stage("prod", SAMCONFIG).parameters),
        Variant("minimal", "the template's defaults, deployed", {"Stage": "staging"}),
        Variant("own", "a stack of one's own, dev-1", read_stage("dev-1", SAMCONFIG).parameters),
    ]
    if EXISTING_SECRET in declared:
        # An account has a domain once, and the first stack has it.
        no_domain = {"DomainName": "", "OriginCertificateArn": ""}
        parameters = {**settings.parameters, **no_domain, EXISTING_SECRET: _EXAMPLE_ARN}
        listed.append(Variant("secret", "a secret that exists already", parameters))
    return tuple(
        replace(one, parameters={name: value for name, value in one.parameters.items() if name in declared})
        for one in listed
    )


class VariantStack:
    """A variant's stack: created from the packages of the first one, compared, used and deleted."""

    def __init__(
        self, variant: Variant, settings: Settings, template: Path, services: Services, parameters: Mapping[str, str]
    ) -> None:
        self.variant = variant
        self.settings = replace(
            settings, stack_name=f"{settings.stack_name}-{variant.name}", parameters=variant.parameters
        )
        self.declaration = Declaration(template, self.settings)
        self.services = services
        self.parameters = dict(parameters)
        self.stack = Deployed(services, self.settings.stack_name, self.declaration, self.parameters)
        self.rows: list[Row] = []

    def rehearse(self, template_url: str) -> None:
        """Create, compare, use, delete. Raises RehearsalError for what does not hold, naming the variant."""
        with self.named_in_errors():
            if self.variant.parameters.get(EXISTING_SECRET):
                self.parameters[EXISTING_SECRET] = self._make_secret()
            self._create(template_url)
            self.compare()
            self.use()
            self.delete()

    @contextlib.contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Name the variant in a RehearsalError of the block."""
        try:
            yield
        except RehearsalError as error:
            raise RehearsalError(f"Variant {self.variant.name} ({self.variant.described}): {error}") from error

    def compare(self) -> None:
        """Compare what was made with what is declared. Raises RehearsalError for what no gap explains."""
        self.rows = self.stack.rows(GAPS)
        require_all_explained(self.rows)

    def use(self) -> None:
        """Do nothing: a stack that is used does more."""

    def delete(self) -> None:
        """Delete the stack. Raises RehearsalError unless it leaves what the template retains, and nothing else."""
        kept = {resource.logical_id for resource in self.declaration.resources if resource.stays}
        stack_id, there = self.stack.stack_id(), set(self.stack.physical_ids())
        self.cloudformation.delete_stack(StackName=self.settings.stack_name)
        status = self._settled(stack_id)
        expect(status == "DELETE_COMPLETE", f"the deleted stack's status is {status}")
        left = there - self.stack.deleted(stack_id)
        expect(left == kept, f"left are {sorted(left)}, and the template keeps {sorted(kept)}")

    def make_bootstrap(self, stage: Stage) -> None:
        """Make a stack with the outputs of the stage's pipeline/bootstrap.yaml that the commands of `pipeline` read."""
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}}
        outputs = {
            "ArtifactBucketName": {"Value": self.settings.artifact_bucket},
            "ExecutionRoleArn": {"Value": {"Fn::GetAtt": ["ExecutionRole", "Arn"]}},
        }
        body = json.dumps({"Resources": {"ExecutionRole": role}, "Outputs": outputs})
        name = stage.bootstrap_stack
        self.cloudformation.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        self.cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=WAITS)

    def _make_secret(self) -> str:
        name = f"{self.settings.stack_name}-existing"
        return str(self.services.secretsmanager.create_secret(Name=name, SecretString="{}")["ARN"])

    def _create(self, template_url: str) -> None:
        known = {**self.settings.parameters, **self.parameters}
        self.cloudformation.create_stack(
            StackName=self.settings.stack_name,
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in known.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        status = self._settled(self.settings.stack_name)
        expect(status == "CREATE_COMPLETE", f"the stack's status is {status}: {self._first_failure()}")

    def _settled(self, stack: str) -> str:
        deadline = time.monotonic() + _SECONDS
        while (status := str(self._described(stack)["StackStatus"])).endswith("_IN_PROGRESS"):
            expect(time.monotonic() < deadline, f"the stack is still {status} after {_SECONDS} s")
            time.sleep(_POLL_SECONDS)
        return status

    def _described(self, stack: str) -> Mapping[str, Any]:
        described: Mapping[str, Any] = self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return described

    def _first_failure(self) -> str:
        events = self.cloudformation.describe_stack_events(StackName=self.settings.stack_name)["StackEvents"]
        failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]  # the newest first
        return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason')}" if failed else "no reason"

    @property
    def cloudformation(self) -> Any:
        """Return a client of the emulated CloudFormation."""
        return self.services.named("cloudformation")


def share_template(services: Services, settings: Settings) -> str:
    """Put the packaged template of the first stack where every variant takes it from; return its URL."""
    cloudformation = services.named("cloudformation")
    body = cloudformation.get_template(StackName=settings.stack_name, TemplateStage="Original")["TemplateBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    services.s3.put_object(Bucket=settings.artifact_bucket, Key=_KEY, Body=text.encode())
    return f"{services.endpoint_url}/{settings.artifact_bucket}/{_KEY}"
