"""A stack is created, changed and asked for what its functions need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.clients import Clients
from emulator.aws.stack import Stack
from sam_template import Template, TemplateError
from sam_template.repository import TEMPLATE
from tests.shop import PROJECT

SHOP = TEMPLATE.read_text()


@pytest.fixture
def changed(tmp_path: Path, root: Clients) -> Any:
    """A stack of the repository's template, one text replaced by another if so asked."""

    def build(old: str = "", new: str = "") -> Stack:
        assert old in SHOP
        path = tmp_path / "template.yaml"
        path.write_text(SHOP.replace(old, new))
        return Stack(Template.load(path), root.endpoint, name="shop-changed")

    return build


def test_the_environment_holds_physical_values(shop: Stack, root: Clients) -> None:
    variables = shop.environment("InventoryFunction")
    outputs = shop.outputs()
    assert variables["TABLE_NAME"] == outputs["TableName"]
    assert variables["S3_BUCKET"] == outputs["BucketName"]
    assert variables["AWS_ENDPOINT_URL"] == root.endpoint_url
    assert variables["REQUIRE_API_KEY"] == "false"
    assert "AWS_LAMBDA_MAX_CONCURRENCY" not in variables  # AWS::NoValue
    assert json.loads(json.dumps(shop.sam_environment()))["InventoryFunction"] == variables


def test_a_function_that_is_not_declared_is_named(shop: Stack) -> None:
    with pytest.raises(TemplateError, match="no function Nobody"):
        shop.environment("Nobody")
    with pytest.raises(TemplateError, match="no role for the function Nobody"):
        shop.role_credentials("Nobody")


def test_to_create_again_changes_nothing(shop: Stack, shop_template: Template, root: Clients) -> None:
    table = shop.outputs()["TableName"]
    root.dynamodb.put_item(TableName=table, Item={"sku": {"S": "KEEP-ME"}})
    again = Stack(shop_template, root.endpoint, name="shop-test", declaration=PROJECT.declaration)
    again.create()
    assert again.sam_environment() == shop.sam_environment()
    assert "Item" in root.dynamodb.get_item(TableName=table, Key={"sku": {"S": "KEEP-ME"}})


def test_a_changed_template_changes_what_exists(changed: Any, root: Clients) -> None:
    changed().create()
    stack = changed("    DeletionPolicy: !If [IsProd, RetainExceptOnCreate, Delete]\n", "")
    stack.create()
    stack = changed("NoncurrentDays: 30", "NoncurrentDays: 5")
    stack.create()
    bucket = stack.outputs()["BucketName"]
    (rule,) = root.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 5}
    stack = changed("      VersioningConfiguration:\n        Status: Enabled\n", "")
    stack.create()
    assert root.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    stack = changed(
        "              Action: [dynamodb:GetItem, dynamodb:Scan]", "              Action: [dynamodb:GetItem]"
    )
    stack.create()
    role = next(name for logical_id, _, name in stack.summary() if logical_id == "InventoryFunctionRole")
    (policy,) = root.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document: Any = root.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert document["Statement"][0]["Action"] == ["dynamodb:GetItem"]


def test_a_table_with_other_keys_is_not_mistaken_for_the_declared_one(changed: Any) -> None:
    changed().create()
    with pytest.raises(TemplateError, match=r"ShopInventory \(AWS::DynamoDB::Table\): AttributeDefinitions differs"):
        changed("AttributeName: sku", "AttributeName: code").create()


def test_a_managed_policy_that_is_not_known_is_named(changed: Any) -> None:
    with pytest.raises(TemplateError, match=r"ManagedPolicyArns names .*AmazonNonsense, whose permissions"):
        changed("      Policies:\n", "      Policies:\n        - arn:aws:iam::aws:policy/AmazonNonsense\n").create()


def test_what_the_endpoint_refuses_is_named(changed: Any) -> None:
    with pytest.raises(TemplateError, match=r"line \d+: DataBucket \(AWS::S3::Bucket\) could not be created: .*"):
        changed('"aws:kms", AES256', '"aws:kms", ROT13').create()
