"""What a rehearsal finds in a stack of the emulated CloudFormation: what was dropped, what failed, what was kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.ministack import MiniStack
from pipeline.rehearsal.account import LAUNCHER
from pipeline.rehearsal.comparison import Gap, Made, Row, require_no_gap_closed
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import IS_PLACEHOLDER, Deployed
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.services import Services
from pipeline.rehearsal.settings import Settings
from sam_template.repository import INSTALLED

REGION = "us-east-1"
UNKNOWN = "AWS::Unknown::Thing"
LIFECYCLE = {"Rules": [{"Id": "x", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Files": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "AccelerateConfiguration": {"AccelerationStatus": "Enabled"},
                "VersioningConfiguration": {"Status": "Enabled"},
                "LifecycleConfiguration": LIFECYCLE,
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Keys": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}},
        "Reader": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "Read",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "secretsmanager:GetSecretValue",
                                    "Resource": {"Ref": "Keys"},
                                }
                            ],
                        },
                    }
                ],
            },
        },
    },
    "Outputs": {"Key": {"Value": {"Ref": "Keys"}}},
}
GAPS = (Gap("AWS::S3::Bucket", "LifecycleConfiguration", "left out"),)


@dataclass(frozen=True)
class Account:
    """An emulated account with one stack of TEMPLATE."""

    services: Services
    folder: Path

    @property
    def cloudformation(self) -> Any:
        return self.services.named("cloudformation")

    def create(self, stack: str, template: dict[str, Any], parameters: dict[str, str] | None = None) -> None:
        self.cloudformation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
        )
        wait(self, "CREATE_COMPLETE", stack)

    def resources(self, stack: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return listed

    def rows(self, *gaps: Gap, template: dict[str, Any] = TEMPLATE, stack: str = "shop") -> dict[tuple[str, str], Row]:
        deployed = self.deployed(template, stack)
        return {(row.resource, row.name): row for row in deployed.rows(gaps)}

    def deployed(self, template: dict[str, Any] = TEMPLATE, stack: str = "shop") -> Deployed:
        file = self.folder / "template.yaml"
        file.write_text(json.dumps(template))
        declaration = Declaration(file, Settings(stack, REGION, self.folder, "artifacts", {}))
        return Deployed(self.services, stack, declaration, {})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    types = json.dumps({UNKNOWN: ["Arn"], "AWS::CodeDeploy::Application": [], "AWS::CodeDeploy::DeploymentGroup": []})
    ministack = MiniStack(INSTALLED, log=folder / "ministack.log", launcher=LAUNCHER, arguments=[types])

    with asyncio.Runner() as runner:
        runner.run(ministack.start())
        try:
            account = Account(Services(ministack.endpoint, REGION), folder)
            account.create("shop", TEMPLATE)
            yield account
        finally:
            runner.run(ministack.stop())


def wait(account: Account, status: str, stack: str = "shop") -> None:
    waiter = account.cloudformation.get_waiter(f"stack_{status.lower()}")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})


def test_a_property_that_cloudformation_drops_is_found(account: Account) -> None:
    row = account.rows()["Files", "LifecycleConfiguration"]
    assert row.made is Made.DIFFERS
    assert "made nothing" in row.remark


def test_a_listed_gap_is_said_and_the_rest_is_made(account: Account) -> None:
    rows = account.rows(*GAPS)
    assert rows.pop(("Files", "LifecycleConfiguration")).made is Made.NOT_EMULATED
    rows.pop(("Files", "AccelerateConfiguration"))
    assert {row.made for row in rows.values()} == {Made.YES}


def test_a_gap_that_is_made_is_found(account: Account) -> None:
    rows = account.rows(*GAPS, Gap("AWS::Logs::LogGroup", "RetentionInDays", "")).values()
    with pytest.raises(RehearsalError, match="AWS::Logs::LogGroup RetentionInDays"):
        require_no_gap_closed(rows)


def test_a_property_that_nothing_reads_is_said(account: Account) -> None:
    assert account.rows(*GAPS)["Files", "AccelerateConfiguration"].made is Made.NOT_READ


def test_a_resource_that_was_not_made_is_found(account: Account) -> None:
    more = {"Resources": {**TEMPLATE["Resources"], "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}
    assert account.rows(*GAPS, template=more)["Topic", "(all)"].remark == "the stack does not have it"


def test_a_type_that_is_not_announced_is_refused(account: Account) -> None:
    template = {"Resources": {"Unknown": {"Type": "AWS::Nothing::AtAll", "Properties": {}}}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        account.cloudformation.create_stack(StackName="unknown", TemplateBody=json.dumps(template))


def test_an_unknown_type_gets_a_placeholder_that_the_rest_can_refer_to(account: Account) -> None:
    template = {
        "Resources": {
            "Unknown": {"Type": UNKNOWN, "Properties": {"Name": "x"}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Unknown", "Arn"]}}},
        }
    }
    account.create("unknown", template)
    row = account.rows(template=template, stack="unknown")["Unknown", "Name"]
    assert (row.made, row.remark) == (Made.NOT_EMULATED, IS_PLACEHOLDER)


def test_sam_decides_by_the_values_of_the_parameters(account: Account) -> None:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "InlineCode": "def handler(*_): return 1",
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "AutoPublishAlias": "live",
            "DeploymentPreference": {"Enabled": {"Ref": "Gradual"}, "Type": "AllAtOnce"},
        },
    }
    template = {
        "Transform": ["AWS::Serverless-2016-10-31"],
        "Parameters": {"Gradual": {"Type": "String", "Default": "false"}},
        "Resources": {"Function": function},
    }
    for value, expected in (("true", True), ("false", False)):
        account.create(f"gradual-{value}", template, {"Gradual": value})
        types = {one["ResourceType"] for one in account.resources(f"gradual-{value}")}
        assert ("AWS::CodeDeploy::DeploymentGroup" in types) is expected


def test_a_permission_may_name_its_function_without_an_alias(account: Account) -> None:
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "Function"},
        "Principal": "sns.amazonaws.com",
    }
    template = {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function_of("def handler(*_): return 1")},
            "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
        }
    }
    account.create("permitted", template)
    assert account.rows(template=template, stack="permitted")["Permission", "FunctionName"].made is Made.YES


def test_what_refers_to_a_secret_has_its_arn(account: Account) -> None:
    assert account.deployed().outputs()["Key"].startswith("arn:aws:secretsmanager:")


def test_a_resource_that_fails_is_rolled_back_and_nothing_is_lost(account: Account) -> None:
    deployed = account.deployed()
    account.services.s3.put_object(Bucket=deployed.physical_ids()["Files"], Key="kept", Body=b"kept")
    before = deployed.made()
    failing = json.loads(json.dumps(TEMPLATE))
    failing["Resources"]["Logs"]["Properties"]["RetentionInDays"] = 1
    refused = json.loads(json.dumps(TEMPLATE["Resources"]["Reader"]))
    failing["Resources"]["Refused"] = refused
    statement = refused["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["NotPrincipal"] = statement.pop("Principal")
    refused["DependsOn"] = "Logs"
    account.cloudformation.update_stack(
        StackName="shop", TemplateBody=json.dumps(failing), Capabilities=["CAPABILITY_IAM"]
    )
    wait(account, "ROLLBACK_COMPLETE")
    assert deployed.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert deployed.made() == before
    kept: Any = account.services.s3.get_object(Bucket=deployed.physical_ids()["Files"], Key="kept")
    assert kept["Body"].read() == b"kept"


def function_of(code: str) -> dict[str, Any]:
    return {
        "Code": {"ZipFile": code},
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Runtime": "python3.13",
        "SnapStart": {"ApplyOn": "PublishedVersions"},
    }


def versioned(account: Account, stack: str, code: str) -> Deployed:
    """Return a stack with one function and its published version."""
    template = {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function_of(code)},
            "Published": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        }
    }
    account.create(stack, template)
    return account.deployed(template, stack)


def test_a_version_can_be_invoked_once_its_snapshot_is_waited_for(account: Account) -> None:
    deployed = versioned(account, "slow", "import time\ntime.sleep(1)\ndef handler(*_): return 1")
    deployed.require_versions_active()
    answer = account.services.named("lambda").invoke(FunctionName=deployed.physical_ids()["Published"])
    assert answer["Payload"].read() == b"1"


def test_a_version_that_cannot_be_loaded_ends_the_wait(account: Account) -> None:
    with pytest.raises(RehearsalError, match=r"Published cannot be invoked: .*No module named"):
        versioned(account, "broken", "import nothing").require_versions_active()
