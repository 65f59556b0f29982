"""What a lost stack left is adopted in the emulated CloudFormation: the same resources, with what is in them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.ministack import MiniStack
from pipeline.adoption import adopt, left_behind
from pipeline.rehearsal.account import LAUNCHER
from pipeline.rehearsal.services import Services
from pipeline.releases import Releases, read_deployed
from pipeline.stages import DeploymentError, Stage
from sam_template.repository import INSTALLED

REGION = "us-east-1"
BUCKET = "artifacts"
WAITS = {"Delay": 1, "MaxAttempts": 60}
RETAINED: dict[str, Any] = {
    "ShopInventory": {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "Properties": {
            "AttributeDefinitions": [{"AttributeName": "sku", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "sku", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": {"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "ShopKey"}},
        },
    },
    "DataBucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate", "Properties": {}},
    "ShopSecret": {
        "Type": "AWS::SecretsManager::Secret",
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": {"Description": {"Ref": "Described"}, "GenerateSecretString": {"PasswordLength": 32}},
    },
    "ShopKey": {
        "Type": "AWS::KMS::Key",
        "Condition": "HasKey",
        "DeletionPolicy": "Retain",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}},
    },
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Described": {"Type": "String", "Default": "Keys"}, "Key": {"Type": "String", "Default": "true"}},
    "Conditions": {"HasKey": {"Fn::Equals": [{"Ref": "Key"}, "true"]}},
    "Resources": {
        **RETAINED,
        "AlarmTopic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": {"Ref": "ShopKey"}}},
    },
    "Outputs": {"Table": {"Value": {"Ref": "ShopInventory"}}},
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    log = tmp_path_factory.mktemp("account") / "ministack.log"
    ministack = MiniStack(INSTALLED, log=log, launcher=LAUNCHER, arguments=["{}"])
    with asyncio.Runner() as runner:
        runner.run(ministack.start())
        try:
            services = Services(ministack.endpoint, REGION)
            services.s3.create_bucket(Bucket=BUCKET)
            outputs = {"ArtifactBucketName": BUCKET, "ExecutionRoleArn": "arn:aws:iam::000000000000:role/any"}
            bootstrap = {
                "Resources": {"Any": {"Type": "AWS::SNS::Topic"}},
                "Outputs": {name: {"Value": value} for name, value in outputs.items()},
            }
            create(services, "shop-bootstrap-prod", bootstrap)
            yield services
        finally:
            runner.run(ministack.stop())


def create(services: Services, stack: str, template: dict[str, Any]) -> None:
    cloudformation = services.named("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=WAITS)


def names(services: Services, stack: str) -> dict[str, str]:
    resources = services.named("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}


def lose(services: Services, stack: str) -> tuple[Stage, dict[str, str]]:
    """Return a stage whose stack was deployed, used and lost, and the names of its resources."""
    stage = Stage("prod", stack, REGION, {})
    cloudformation = services.named("cloudformation")
    create(services, stack, TEMPLATE)
    were = names(services, stack)
    services.named("dynamodb").put_item(TableName=were["ShopInventory"], Item={"sku": {"S": "KEPT"}})
    Releases(stage, BUCKET, services.s3).keep(read_deployed(stage, cloudformation))
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=WAITS)
    return stage, were


def test_the_same_resources_are_the_new_stacks_and_the_next_deployment_makes_the_rest(services: Services) -> None:
    stage, were = lose(services, "shop-lost")
    assert left_behind(stage.stack, services.named("cloudformation")) == {name: were[name] for name in RETAINED}
    secret = services.secretsmanager.get_secret_value(SecretId=were["ShopSecret"])["SecretString"]
    assert adopt(stage, services.named, waits=WAITS) == {name: were[name] for name in RETAINED}
    assert names(services, stage.stack) == {name: were[name] for name in RETAINED}
    cloudformation = services.named("cloudformation")
    cloudformation.update_stack(StackName=stage.stack, TemplateBody=json.dumps(TEMPLATE))
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stage.stack, WaiterConfig=WAITS)
    are = names(services, stage.stack)
    assert {name: are[name] for name in RETAINED} == {name: were[name] for name in RETAINED}
    assert are["AlarmTopic"]
    item = services.named("dynamodb").get_item(TableName=are["ShopInventory"], Key={"sku": {"S": "KEPT"}})
    assert item["Item"]
    assert services.secretsmanager.get_secret_value(SecretId=are["ShopSecret"])["SecretString"] == secret


def test_what_is_named_is_adopted_when_cloudformation_has_forgotten_the_stack(services: Services) -> None:
    stage, were = lose(services, "shop-forgotten")
    named = {"ShopInventory": were["ShopInventory"], "ShopKey": were["ShopKey"]}
    assert adopt(stage, services.named, named, waits=WAITS) == named


def test_what_is_not_there_is_said_and_leaves_no_stack_in_the_way(services: Services) -> None:
    stage, were = lose(services, "shop-mistaken")
    with pytest.raises(DeploymentError, match=r"imports nothing \(.*no-table.*\): say with RESOURCES"):
        adopt(stage, services.named, {"ShopInventory": "no-table"}, waits=WAITS)
    assert adopt(stage, services.named, {"DataBucket": were["DataBucket"]}, waits=WAITS)


def test_a_stack_that_is_there_is_left_alone(services: Services, tmp_path: Path) -> None:
    stage, _ = lose(services, "shop-there")
    create(services, stage.stack, {"Resources": {"Any": {"Type": "AWS::SNS::Topic"}}})
    with pytest.raises(DeploymentError, match="is there, in CREATE_COMPLETE: deploy"):
        adopt(stage, services.named, waits=WAITS)


def test_nothing_that_is_left_is_said(services: Services) -> None:
    with pytest.raises(DeploymentError, match=r"knows of nothing that a stack shop-never left behind: .*RESOURCES="):
        adopt(Stage("prod", "shop-never", REGION, {"Stage": "prod"}), services.named, waits=WAITS)


def test_what_the_stage_does_not_retain_is_refused(services: Services) -> None:
    with pytest.raises(DeploymentError, match=r"^AlarmTopic is nothing that prod retains: name ApiKeySecret"):
        adopt(Stage("prod", "shop-never", REGION, {"Stage": "prod"}), services.named, {"AlarmTopic": "x"})
