"""A rollback deploys the release before the one that runs, with its own parameters, and only once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from pipeline import deployment
from pipeline.deployment import deploy, rollback
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
    """CloudFormation with the bootstrap and one stack, which the fake `sam deploy` changes."""

    def __init__(self) -> None:
        self.template = ""
        self.parameters: Mapping[str, str] = {}

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
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


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    """An account whose `sam deploy` applies the template and the parameters that it is given."""
    account = Account()

    def sam_deploy(_stage: Stage, *arguments: str) -> None:
        options = dict(zip(arguments[::2], arguments[1::2], strict=True))
        assert (options["--s3-bucket"], options["--role-arn"]) == ("packages", "arn:execution")
        template = Path(options.get("--template-file", deployment.PACKAGE))
        account.template = template.read_text()
        parameters = options.get("--parameter-overrides")
        account.parameters = (
            yaml.safe_load(Path(parameters.removeprefix("file://")).read_text()) if parameters else GRADUAL
        )

    monkeypatch.setattr(deployment, "run_sam_deploy", sam_deploy)
    monkeypatch.setattr(deployment, "PACKAGE", tmp_path / "template.yaml")
    monkeypatch.setattr(deployment, "ROLLBACK", tmp_path / "rollback")
    return account


def deploy_version(version: str, account: Account, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.PACKAGE.write_text(version)
    monkeypatch.setattr("pipeline.releases.datetime", Clock(len(bucket.objects)))
    deploy(STAGE, account, bucket)


class Clock:
    """datetime, at a second that differs from one deployment to the next."""

    def __init__(self, second: int) -> None:
        self._second = second

    def now(self, _zone: object) -> Clock:
        return self

    def strftime(self, _format: str) -> str:
        return f"20261121T2359{self._second:02}Z"


def test_a_rollback_goes_back_one_release_at_a_time(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    for version in ("one", "two", "three"):
        deploy_version(version, account, bucket, monkeypatch)
    for expected in ("two", "one"):
        rollback(STAGE, account, bucket)
        assert account.template == expected
        assert account.parameters == {"Stage": "prod", "GradualDeployment": "false"}, "an alarm must not stop it"
    with pytest.raises(DeploymentError, match="shop-prod has no earlier release"):
        rollback(STAGE, account, bucket)


def test_a_deployment_without_a_change_is_no_release(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    for version in ("one", "two", "two"):
        deploy_version(version, account, bucket, monkeypatch)
    assert len(bucket.objects) == 2


def test_what_was_deployed_without_a_record_is_left_for_the_newest_release(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket()
    deploy_version("one", account, bucket, monkeypatch)
    account.template = "by hand"
    rollback(STAGE, account, bucket)
    assert account.template == "one"
    assert len(bucket.objects) == 1


def test_a_rollback_that_fails_forgets_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket()
    for version in ("one", "two"):
        deploy_version(version, account, bucket, monkeypatch)

    def refuse(*_: object) -> None:
        raise DeploymentError("sam deploy failed with status 1: the lines above say why.")

    monkeypatch.setattr(deployment, "run_sam_deploy", refuse)
    with pytest.raises(DeploymentError, match="status 1"):
        rollback(STAGE, account, bucket)
    assert len(bucket.objects) == 2


def test_a_rollback_never_goes_forward_to_what_could_not_be_forgotten(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket()
    for version in ("one", "two", "broken"):
        deploy_version(version, account, bucket, monkeypatch)

    def refuse(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "DeleteObject")

    with monkeypatch.context() as patch:
        patch.setattr(bucket, "delete_object", refuse)
        with pytest.raises(ClientError):
            rollback(STAGE, account, bucket)
    rollback(STAGE, account, bucket)
    assert account.template == "one"
    assert len(bucket.objects) == 1


def test_sam_that_fails_is_said_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "SAM", "false")
    with pytest.raises(DeploymentError, match="sam deploy failed with status 1"):
        deployment.run_sam_deploy(STAGE)


def test_a_deployment_without_a_package_says_how_to_make_one(account: Account) -> None:
    with pytest.raises(DeploymentError, match="`make package`"):
        deploy(STAGE, account, Bucket())


def test_a_release_is_kept_under_its_stack() -> None:
    bucket = Bucket()
    assert Releases(STAGE, "packages", bucket).keep(Release("t", {}, "20261121T235959Z", "c0ffee"))
    (key,) = bucket.objects
    assert key == "shop-prod/releases/20261121T235959Z.json"
    assert json.loads(bucket.objects[key])["commit"] == "c0ffee"


def test_nothing_kept_is_nothing_to_go_back_to() -> None:
    assert split_at_previous([], Release("t", {}, "", "")) is None
