"""A stage is what samconfig.toml says, and what is missing is said with its remedy."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.deployment import PACKAGE, sam_deploy_command
from pipeline.stages import DeploymentError, read_bootstrap, read_stage
from sam_template import ACCOUNT_ID
from sam_template.repository import SAMCONFIG

STAGES = ("staging", "prod")


class NoStacks:
    """CloudFormation in an account without stacks."""

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 (boto3's name)
        message = f"Stack with id {StackName} does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_deploys_the_package_to_its_own_stack(name: str) -> None:
    settings = tomllib.loads(SAMCONFIG.read_text())[name]
    stage = read_stage(name, SAMCONFIG)
    assert stage.stack == f"shop-{name}"
    assert stage.parameters["PermissionsBoundary"] == f"shop-{name}-boundary"
    assert settings["deploy"]["parameters"]["s3_prefix"] == stage.stack, "the deploy role writes nowhere else"
    assert settings["deploy"]["parameters"]["template_file"] == str(PACKAGE)
    assert settings["build"]["parameters"]["build_dir"] == str(PACKAGE.parent) != ".aws-sam/build"
    assert settings["deploy"]["parameters"]["confirm_changeset"] is False


def test_production_shifts_traffic_gradually_and_staging_at_once_both_with_the_check() -> None:
    staging, prod = (read_stage(name, SAMCONFIG).parameters for name in STAGES)
    assert (staging["GradualDeployment"], staging["DeploymentType"]) == ("true", "AllAtOnce")
    assert prod["GradualDeployment"] == "true"
    assert prod["DeploymentType"].startswith(("Canary", "Linear"))


def test_samconfig_names_no_account() -> None:
    words = SAMCONFIG.read_text().replace(":", " ").split()
    assert {word for word in words if len(word) == 12 and word.isdecimal()} <= {ACCOUNT_ID}, "the emulated one alone"


@pytest.mark.parametrize("name", ["default", "rehearsal", "bootstrap", "nowhere"])
def test_what_is_no_stage_is_refused(name: str) -> None:
    with pytest.raises(
        DeploymentError, match=f"'{name}' is no stage of samconfig.toml: say STAGE=staging or STAGE=prod"
    ):
        read_stage(name, SAMCONFIG)


def test_a_missing_bootstrap_is_said_with_the_command_that_makes_it() -> None:
    with pytest.raises(DeploymentError, match="`make bootstrap STAGE=staging REPOSITORY=ORG/REPO`"):
        read_bootstrap(read_stage("staging", SAMCONFIG), NoStacks())


def test_a_bootstrap_that_was_not_completed_is_said_with_its_status() -> None:
    class Failed:
        def describe_stacks(self, **_: str) -> Any:
            return {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}

    with pytest.raises(
        DeploymentError, match="shop-bootstrap-staging is in ROLLBACK_COMPLETE and has no output ArtifactBucketName"
    ):
        read_bootstrap(read_stage("staging", SAMCONFIG), Failed())


def test_sam_reads_this_repositorys_settings_wherever_the_template_lies() -> None:
    command = sam_deploy_command(read_stage("prod", SAMCONFIG), ["--template-file", "elsewhere/template.yaml"])
    assert command[1:] == [
        *("deploy", "--config-file", str(SAMCONFIG), "--config-env", "prod"),
        *("--template-file", "elsewhere/template.yaml"),
    ]
