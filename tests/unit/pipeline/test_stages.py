"""A stage is what samconfig.toml says, and what is missing is said with its remedy."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline import deployment
from pipeline.deployment import PACKAGE, sam_command, sam_deploy_command, sync
from pipeline.removal import remove
from pipeline.stages import DeploymentError, read_bootstrap, read_stage
from sam_template import ACCOUNT_ID
from sam_template.repository import SAMCONFIG, TEMPLATE

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


def test_a_stack_of_ones_own_has_the_settings_that_all_of_them_share() -> None:
    stage = read_stage("dev-ann", SAMCONFIG)
    assert (stage.stack, stage.bootstrap_stack, stage.section) == ("shop-dev-ann", "shop-bootstrap-dev", "dev")
    assert stage.is_own
    assert stage.parameters["Stage"] == "dev-ann"
    assert stage.parameters["PermissionsBoundary"] == "shop-dev-boundary"
    assert not any(read_stage(name, SAMCONFIG).is_own for name in STAGES)


@pytest.mark.parametrize("name", ["dev", "dev-", "dev-Ann", "dev-a_b", "dev-123456789012345678901", "dev-a/../b"])
def test_what_template_yaml_refuses_as_a_stage_is_refused(name: str) -> None:
    with pytest.raises(DeploymentError, match="or STAGE=dev-NAME, of small letters, digits and hyphens"):
        read_stage(name, SAMCONFIG)


def test_sam_gets_what_differs_between_stacks_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "OWN", tmp_path)
    stage = read_stage("dev-ann", SAMCONFIG)
    _, verb, *options = sam_command("sync", stage, ["--s3-bucket", "b"])
    assert verb == "sync"
    given = {option: options[index + 1] for index, option in enumerate(options) if option.startswith("--")}
    assert given["--config-env"] == "dev"
    assert given["--stack-name"] == given["--s3-prefix"] == "shop-dev-ann", "the role writes nowhere else"
    assert options[options.index("--tags") + 1 :][:2] == ["Application=shop-on-sam", "Stage=dev-ann"]
    parameters = Path(given["--parameter-overrides"].removeprefix("file://"))
    assert json.loads(parameters.read_text()) == stage.parameters


def test_sam_sync_takes_every_setting() -> None:
    from samcli.commands.sync import command as sync_command  # type: ignore[import-untyped]

    settings = tomllib.loads(SAMCONFIG.read_text())["dev"]["sync"]["parameters"]
    taken = {parameter.name for parameter in sync_command.cli.params}
    assert set(settings) <= taken | {"region"}, "sam passes over what it does not know"
    assert settings["dependency_layer"] is False, "sam would add a nested stack of empty layers"


def test_sam_sync_builds_where_nothing_else_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from samcli.commands.sync import command as sync_command

    """It builds into DEFAULT_BUILD_DIR of the folder that it runs in, and takes no other."""
    ran: list[tuple[list[str], Path]] = []

    def run(command: list[str], *, cwd: Path, check: bool) -> Any:
        ran.append((command, cwd))
        return SimpleNamespace(returncode=0)

    bootstrap = {"StackStatus": "CREATE_COMPLETE", "Outputs": OUTPUTS}
    cloudformation = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [bootstrap]})
    for name in ("OWN", "SYNC"):
        monkeypatch.setattr(deployment, name, tmp_path / name)
    monkeypatch.setattr("subprocess.run", run)
    assert sync(read_stage("dev-ann", SAMCONFIG), lambda _: cloudformation) == 0
    ((command, folder),) = ran
    assert folder == tmp_path / "SYNC"
    assert folder.is_dir()
    assert command[command.index("--template-file") + 1] == str(TEMPLATE), "not the one of that folder"
    assert command[command.index("--role-arn") + 1] == "arn:execution"
    assert not Path(sync_command.DEFAULT_BUILD_DIR).is_absolute()


OUTPUTS = [
    {"OutputKey": "ArtifactBucketName", "OutputValue": "packages"},
    {"OutputKey": "ExecutionRoleArn", "OutputValue": "arn:execution"},
]


@pytest.mark.parametrize("step", [sync, remove])
def test_a_shared_stage_is_neither_synced_nor_removed(step: Callable[..., object]) -> None:
    with pytest.raises(DeploymentError, match=r"^staging is nobody's own stack: say STAGE=dev-NAME"):
        step(read_stage("staging", SAMCONFIG), lambda _: NoStacks())


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
