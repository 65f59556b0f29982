"""A rollback deploys the release before the one that runs, with its own parameters, and only once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from pipeline import commits, deployment
from pipeline.deployment import deploy, rollback
from pipeline.protection import stack_policy
from pipeline.releases import Release, Releases, split_at_previous
from pipeline.stages import DeploymentError, Stage

STAGE = Stage("prod", "shop-prod", "us-east-1", {})
GRADUAL = {"Stage": "prod", "GradualDeployment": "true"}


class Bucket:
    """S3 with one bucket, as far as releases need it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 (boto3's names)
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]

    def get_paginator(self, _operation: str) -> Bucket:
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[Any]:  # noqa: N803
        for key in reversed(self.objects):
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key}]}
        yield {}


class Account:
    """AWS with the bootstrap and one stack, which the fake `sam deploy` changes; the stack has one function."""

    ALIAS = "arn:aws:lambda:us-east-1:000000000000:function:shop-prod-Function:live"

    def __init__(self) -> None:
        self.bucket = Bucket()
        self.template = ""
        self.parameters: Mapping[str, str] = {}
        self.is_there = True
        self.live = "0"
        self.published = ["0"]
        self.deleted: list[str] = []

    def __call__(self, service: str) -> Any:
        return self.bucket if service == "s3" else self

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 (boto3's names)
        outputs = {"ArtifactBucketName": "packages", "ExecutionRoleArn": "arn:execution"}
        stack = {
            "StackStatus": "UPDATE_COMPLETE",
            "Parameters": [{"ParameterKey": key, "ParameterValue": text} for key, text in self.parameters.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": text} for key, text in outputs.items()],
        }
        return {"Stacks": [stack]}

    def get_template(self, *, StackName: str, TemplateStage: str) -> Any:  # noqa: N803
        assert TemplateStage == "Original"
        return {"TemplateBody": self.template}

    def get_paginator(self, operation: str) -> Any:
        pages = {
            "list_stack_resources": [
                {
                    "StackResourceSummaries": [
                        {"ResourceType": "AWS::Lambda::Alias", "PhysicalResourceId": self.ALIAS},
                        {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "shop-prod-Function"},
                    ]
                }
            ],
            "list_versions_by_function": [
                {"Versions": [{"Version": "$LATEST"}]},
                {"Versions": [{"Version": version} for version in self.published]},
            ],
        }
        return SimpleNamespace(paginate=lambda **_: pages[operation])

    def get_alias(self, *, FunctionName: str, Name: str) -> Any:  # noqa: N803
        assert f"{FunctionName}:{Name}" == self.ALIAS
        return {"FunctionVersion": self.live}

    def get_function_configuration(self, *, FunctionName: str, Qualifier: str) -> Any:  # noqa: N803
        if Qualifier not in self.published:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetFunction")
        return {}

    def update_alias(self, *, FunctionName: str, Name: str, FunctionVersion: str, RoutingConfig: Any) -> None:  # noqa: N803
        assert RoutingConfig == {"AdditionalVersionWeights": {}}, "all traffic, not a part of it"
        self.live = FunctionVersion

    def update_termination_protection(self, *, StackName: str, EnableTerminationProtection: bool) -> None:  # noqa: N803
        self.is_protected = EnableTerminationProtection

    def set_stack_policy(self, *, StackName: str, StackPolicyBody: str) -> None:  # noqa: N803
        self.policy = json.loads(StackPolicyBody)

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803
        self.published.remove(Qualifier)
        self.deleted.append(Qualifier)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """An account whose `sam deploy` applies the template and the parameters that it is given, and publishes."""
    account = Account()

    def sam_deploy(_stage: Stage, *arguments: str) -> None:
        flags = [each for each in arguments if each == "--disable-rollback"]
        named = [each for each in arguments if each not in flags]
        options = dict(zip(named[::2], named[1::2], strict=True))
        assert (options["--s3-bucket"], options["--role-arn"]) == ("packages", "arn:execution")
        assert bool(flags) == ("--template-file" in options), "CloudFormation must not take a rollback back"
        template = Path(options.get("--template-file", deployment.PACKAGE))
        account.template = template.read_text()
        parameters = options.get("--parameter-overrides")
        account.parameters = (
            yaml.safe_load(Path(parameters.removeprefix("file://")).read_text()) if parameters else GRADUAL
        )
        account.live = str(int(account.published[-1]) + 1)
        account.published.append(account.live)

    monkeypatch.setattr(deployment, "run_sam_deploy", sam_deploy)
    monkeypatch.setattr(deployment, "PACKAGE", tmp_path / "template.yaml")
    monkeypatch.setattr(deployment, "ROLLBACK", tmp_path / "rollback")
    monkeypatch.setattr("pipeline.commits.COMMIT", tmp_path / "commit")
    return account


def deploy_version(version: str, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.PACKAGE.write_text(version)
    monkeypatch.setattr("pipeline.releases.datetime", Clock(len(account.bucket.objects)))
    deploy(STAGE, account)


class Clock:
    """datetime, at a second that differs from one deployment to the next."""

    def __init__(self, second: int) -> None:
        self._second = second

    def now(self, _zone: object) -> Clock:
        return self

    def strftime(self, _format: str) -> str:
        return f"20261121T2359{self._second:02}Z"


def test_a_rollback_goes_back_one_release_at_a_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("one", "two", "three"):
        deploy_version(version, account, monkeypatch)
    for expected in ("two", "one"):
        rollback(STAGE, account)
        assert account.template == expected
        assert account.parameters == {**GRADUAL, "DeploymentType": "AllAtOnce"}, "CodeDeploy and its history stay"
    with pytest.raises(DeploymentError, match="shop-prod has no earlier release"):
        rollback(STAGE, account)


def test_the_version_before_serves_before_the_stack_follows(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("one", "two"):
        deploy_version(version, account, monkeypatch)
    assert account.published == ["1", "2"]
    served = []
    publish = deployment.run_sam_deploy

    def note(*arguments: Any) -> None:
        served.append(account.live)
        publish(*arguments)

    monkeypatch.setattr(deployment, "run_sam_deploy", note)
    rollback(STAGE, account)
    assert served == ["1"]
    assert "Its versions have all the traffic now" in capsys.readouterr().out
    assert account.live == "3"
    assert json.loads(list(account.bucket.objects.values())[-1])["versions"] == {Account.ALIAS: "3"}


def test_versions_that_are_gone_are_published_anew(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("one", "two", "three"):
        deploy_version(version, account, monkeypatch)
    rollback(STAGE, account)
    rollback(STAGE, account)  # the versions of "one" were deleted when "three" was deployed
    assert (account.template, account.live) == ("one", "5")


def test_a_deployment_deletes_what_no_longer_serves(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version before the one that serves, and one that CodeDeploy took back: Lambda publishes nothing like that."""
    deploy_version("one", account, monkeypatch)
    account.published.append("2")  # taken back: the alias still has 1
    deploy_version("two", account, monkeypatch)
    assert account.deleted == ["0", "2"]
    assert account.published == ["1", "2"]


def test_codedeploy_that_refuses_is_left_out(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("one", "two"):
        deploy_version(version, account, monkeypatch)
    follow = deployment.run_sam_deploy

    def refuse_codedeploy(stage: Stage, *arguments: str) -> None:
        parameters = yaml.safe_load((deployment.ROLLBACK / "parameters.yaml").read_text())
        if parameters["GradualDeployment"] == "true":
            raise DeploymentError("sam deploy failed with status 1: the lines above say why.")
        follow(stage, *arguments)

    monkeypatch.setattr(deployment, "run_sam_deploy", refuse_codedeploy)
    rollback(STAGE, account)
    assert (account.template, account.parameters["GradualDeployment"]) == ("one", "false")


def test_a_deployment_without_a_change_is_no_release(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("one", "two", "two"):
        deploy_version(version, account, monkeypatch)
    assert len(account.bucket.objects) == 2
    assert json.loads(list(account.bucket.objects.values())[-1])["versions"] == {Account.ALIAS: account.live}


def test_what_was_deployed_without_a_record_is_left_for_the_newest_release(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_version("one", account, monkeypatch)
    account.template = "by hand"
    rollback(STAGE, account)
    assert account.template == "one"
    assert len(account.bucket.objects) == 1


def test_a_rollback_that_fails_forgets_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("one", "two"):
        deploy_version(version, account, monkeypatch)

    def refuse(*_: object) -> None:
        raise DeploymentError("sam deploy failed with status 1: the lines above say why.")

    monkeypatch.setattr(deployment, "run_sam_deploy", refuse)
    with pytest.raises(DeploymentError, match="status 1"):
        rollback(STAGE, account)
    assert len(account.bucket.objects) == 2


def test_a_rollback_never_goes_forward_to_what_could_not_be_forgotten(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("one", "two", "broken"):
        deploy_version(version, account, monkeypatch)

    def refuse(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DeleteObject")

    with monkeypatch.context() as patch:
        patch.setattr(account.bucket, "delete_object", refuse)
        with pytest.raises(ClientError):
            rollback(STAGE, account)
    rollback(STAGE, account)
    assert account.template == "one"
    assert len(account.bucket.objects) == 1


def test_sam_that_fails_is_said_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "SAM", "false")
    with pytest.raises(DeploymentError, match="sam deploy failed with status 1"):
        deployment.run_sam_deploy(STAGE)


def test_a_deployment_without_a_package_says_how_to_make_one(account: Account) -> None:
    with pytest.raises(DeploymentError, match="`make package`"):
        deploy(STAGE, account)


def test_a_commit_before_the_one_that_is_deployed_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(deployment, "require_not_older", lambda *commits: asked.append(commits))
    for version in ("one", "two"):
        commits.COMMIT.write_text(f"commit of {version}\n")
        deploy_version(version, account, monkeypatch)
    assert asked == [("commit of one", ""), ("commit of two", "commit of one")]
    deploy(STAGE, account, may_be_older=True)
    assert len(asked) == 2


def test_a_release_is_kept_under_its_stack() -> None:
    bucket = Bucket()
    assert Releases(STAGE, "packages", bucket).keep(Release("t", {}, "20261121T235959Z", "c0ffee"))
    (key,) = bucket.objects
    assert key == "shop-prod/releases/20261121T235959Z.json"
    assert json.loads(bucket.objects[key])["commit"] == "c0ffee"


def test_nothing_kept_is_nothing_to_go_back_to() -> None:
    assert split_at_previous([], Release("t", {}, "", "")) is None


def test_production_is_protected_once_it_is_deployed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy_version("one", account, monkeypatch)
    assert account.is_protected
    assert account.policy == stack_policy()
