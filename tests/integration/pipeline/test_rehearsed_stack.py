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
from emulator.paths import INSTALLED
from pipeline.rehearsal.account import LAUNCHER
from pipeline.rehearsal.comparison import Gap, Made, Row
from pipeline.rehearsal.declaration import Declaration
from pipeline.rehearsal.deployed import Deployed
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.gaps import UNKNOWN_TYPES
from pipeline.rehearsal.services import Services
from pipeline.rehearsal.settings import Settings

REGION = "us-east-1"
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

    def rows(self, *gaps: Gap, template: dict[str, Any] = TEMPLATE) -> dict[tuple[str, str], Row]:
        deployed = self.deployed(template)
        return {(row.resource, row.name): row for row in deployed.rows(gaps)}

    def deployed(self, template: dict[str, Any] = TEMPLATE, stack: str = "shop") -> Deployed:
        file = self.folder / "template.yaml"
        file.write_text(json.dumps(template))
        declaration = Declaration(file, Settings(stack, REGION, self.folder, "artifacts", {}))
        return Deployed(self.services, stack, declaration, {})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    ministack = MiniStack(INSTALLED, log=folder / "ministack.log", launcher=LAUNCHER)

    with asyncio.Runner() as runner:
        runner.run(ministack.start())
        try:
            account = Account(Services(ministack.endpoint, REGION), folder)
            account.cloudformation.create_stack(
                StackName="shop", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
            )
            wait(account, "CREATE_COMPLETE")
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
    row = account.rows(*GAPS, Gap("AWS::Logs::LogGroup", "RetentionInDays", ""))["Logs", "RetentionInDays"]
    assert row.made is Made.DIFFERS
    assert "is made now" in row.remark


def test_a_property_that_nothing_reads_is_said(account: Account) -> None:
    assert account.rows(*GAPS)["Files", "AccelerateConfiguration"].made is Made.NOT_READ


def test_a_resource_that_was_not_made_is_found(account: Account) -> None:
    more = {"Resources": {**TEMPLATE["Resources"], "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}
    assert account.rows(*GAPS, template=more)["Topic", "(all)"].remark == "the stack does not have it"


@pytest.mark.parametrize("type_name", sorted(UNKNOWN_TYPES))
def test_a_type_that_is_said_to_be_unknown_is_refused(account: Account, type_name: str) -> None:
    template = {"Resources": {"Unknown": {"Type": type_name, "Properties": {}}}}
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        account.cloudformation.create_stack(StackName="unknown", TemplateBody=json.dumps(template))


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


def versioned(account: Account, stack: str, code: str) -> Deployed:
    """Return a stack with one function and its published version."""
    function = {
        "Code": {"ZipFile": code},
        "Handler": "index.handler",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Runtime": "python3.13",
        "SnapStart": {"ApplyOn": "PublishedVersions"},
    }
    template = {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Published": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
        }
    }
    account.cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    wait(account, "CREATE_COMPLETE", stack)
    return account.deployed(template, stack)


def test_a_version_can_be_invoked_once_its_snapshot_is_waited_for(account: Account) -> None:
    deployed = versioned(account, "slow", "import time\ntime.sleep(1)\ndef handler(*_): return 1")
    deployed.require_versions_active()
    answer = account.services.named("lambda").invoke(FunctionName=deployed.physical_ids()["Published"])
    assert answer["Payload"].read() == b"1"


def test_a_version_that_cannot_be_loaded_ends_the_wait(account: Account) -> None:
    with pytest.raises(RehearsalError, match=r"Published cannot be invoked: .*No module named"):
        versioned(account, "broken", "import nothing").require_versions_active()


def test_a_bucket_is_emptied_of_every_version(account: Account) -> None:
    bucket = account.deployed().physical_ids()["Files"]
    for _ in range(2):
        account.services.s3.put_object(Bucket=bucket, Key="twice", Body=b"x")
    account.services.s3.delete_object(Bucket=bucket, Key="twice")
    account.services.empty_bucket(bucket)
    left = account.services.s3.list_object_versions(Bucket=bucket)
    assert "Versions" not in left
    assert "DeleteMarkers" not in left
