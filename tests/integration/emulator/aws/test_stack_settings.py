"""What MiniStack says of each resource is what the template declares."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.aws.clients import Clients
from emulator.aws.stack import Stack
from sam_template import Template


@pytest.fixture
def names(shop: Stack) -> dict[str, str]:
    return {logical_id: name for logical_id, _, name in shop.summary()}


def declared(template: Template, logical_id: str) -> dict[str, Any]:
    properties: dict[str, Any] = dict(template.resources[logical_id]["Properties"])
    return properties


def tags(pairs: Any) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


SHOP_TAGS = {"Application": "shop-on-sam", "Stage": "local"}


class TestTable:
    def test_keys_and_settings(self, root: Clients, names: dict[str, str], shop_template: Template) -> None:
        table = root.dynamodb.describe_table(TableName=names["ShopInventory"])["Table"]
        properties = declared(shop_template, "ShopInventory")
        assert table["KeySchema"] == properties["KeySchema"]
        assert table["AttributeDefinitions"] == properties["AttributeDefinitions"]
        assert table["BillingModeSummary"]["BillingMode"] == properties["BillingMode"] == "PAY_PER_REQUEST"
        assert table["DeletionProtectionEnabled"] is False
        assert table.get("SSEDescription", {}).get("Status") != "ENABLED"

    def test_tags(self, root: Clients, names: dict[str, str]) -> None:
        arn = root.dynamodb.describe_table(TableName=names["ShopInventory"])["Table"]["TableArn"]
        assert tags(root.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]) == SHOP_TAGS


class TestProduction:
    @pytest.fixture
    def table(self, root: Clients, shop_template: Template) -> str:
        prod = Stack(Template.load(shop_template.path, {"Stage": "prod"}), root.endpoint, name="shop-prod")
        prod.create()
        return prod.outputs()["TableName"]

    def test_it_protects_its_table(self, root: Clients, table: str) -> None:
        assert root.dynamodb.describe_table(TableName=table)["Table"]["DeletionProtectionEnabled"] is True
        with pytest.raises(root.dynamodb.exceptions.ClientError, match="protect"):
            root.dynamodb.delete_table(TableName=table)

    def test_it_encrypts_its_table_with_kms(self, root: Clients, table: str) -> None:
        assert root.dynamodb.describe_table(TableName=table)["Table"]["SSEDescription"]["Status"] == "ENABLED"

    def test_its_table_can_be_brought_back_to_any_second(self, root: Clients, table: str) -> None:
        backups = root.dynamodb.describe_continuous_backups(TableName=table)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


class TestBucket:
    @pytest.fixture
    def bucket(self, names: dict[str, str]) -> str:
        return names["DataBucket"]

    def test_public_access_is_blocked(self, root: Clients, bucket: str, shop_template: Template) -> None:
        present = root.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert present == declared(shop_template, "DataBucket")["PublicAccessBlockConfiguration"]

    def test_its_owner_owns_every_object(self, root: Clients, bucket: str, shop_template: Template) -> None:
        present = root.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        assert present == declared(shop_template, "DataBucket")["OwnershipControls"]

    def test_encryption(self, root: Clients, bucket: str) -> None:
        (rule,) = root.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"

    def test_versioning(self, root: Clients, bucket: str) -> None:
        assert root.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"

    def test_lifecycle(self, root: Clients, bucket: str) -> None:
        (rule,) = root.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert (rule["ID"], rule["Status"]) == ("ExpireOldVersions", "Enabled")
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}

    def test_tags(self, root: Clients, bucket: str) -> None:
        assert tags(root.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == SHOP_TAGS

    def test_policy(self, root: Clients, bucket: str) -> None:
        policy = json.loads(root.s3.get_bucket_policy(Bucket=bucket)["Policy"])
        (statement,) = policy["Statement"]
        assert (statement["Sid"], statement["Effect"]) == ("RefusePlainHttp", "Deny")
        assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


class TestSecret:
    def test_description_and_tags(self, root: Clients, names: dict[str, str], shop_template: Template) -> None:
        present = root.secretsmanager.describe_secret(SecretId=names["ShopSecret"])
        assert present["Description"] == declared(shop_template, "ShopSecret")["Description"]
        assert tags(present["Tags"]) == SHOP_TAGS

    def test_its_reference_is_its_arn(self, names: dict[str, str], shop: Stack) -> None:
        assert names["ShopSecret"].startswith(
            "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop-test-ShopSecret-"
        )
        assert shop.environment("ShopbotFunction")["SECRETS_MANAGER_SECRET"] == names["ShopSecret"]
        assert shop.environment("InventoryFunction")["SECRETS_MANAGER_SECRET"] == names["ApiKeySecret"]

    def test_value(self, root: Clients, names: dict[str, str]) -> None:
        filled_in = {"ANTHROPIC_API_KEY": "", "ES_API_KEY": "", "REDIS_PASSWORD": ""}
        for name, generated, others in (
            ("ShopSecret", "SESSION_KEY", filled_in),
            ("ApiKeySecret", "INVENTORY_API_KEY", {}),
        ):
            value = json.loads(root.secretsmanager.get_secret_value(SecretId=names[name])["SecretString"])
            key = value.pop(generated)
            assert value == others
            assert len(key) == 40
            assert key.isalnum()


class TestRole:
    @pytest.fixture
    def name(self, names: dict[str, str], shop_template: Template) -> str:
        return names[shop_template.functions["InventoryFunction"].role]

    def test_who_may_assume_it(self, root: Clients, name: str) -> None:
        trust: Any = root.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Principal"] == {"Service": ["lambda.amazonaws.com"]}

    def test_inline_policies(self, root: Clients, name: str, names: dict[str, str]) -> None:
        (policy,) = root.iam.list_role_policies(RoleName=name)["PolicyNames"]
        document: Any = root.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        statements = {statement["Sid"]: statement for statement in document["Statement"]}
        table = f"arn:aws:dynamodb:us-east-1:000000000000:table/{names['ShopInventory']}"
        assert statements["ReadItems"]["Resource"] == statements["WriteItems"]["Resource"] == table
        assert statements["ReadFiles"]["Resource"] == f"arn:aws:s3:::{names['DataBucket']}/*"
        assert statements["ReadApiKey"]["Resource"] == names["ApiKeySecret"]

    def test_managed_policies(self, root: Clients, name: str) -> None:
        attached = root.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        assert {policy["PolicyArn"] for policy in attached} == {
            "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
        }

    def test_tags(self, root: Clients, name: str) -> None:
        present = tags(root.iam.list_role_tags(RoleName=name)["Tags"])
        assert present == SHOP_TAGS


def test_sample_files_have_their_type(root: Clients, names: dict[str, str]) -> None:
    head = root.s3.head_object(Bucket=names["DataBucket"], Key="sample.txt")
    assert head["ContentType"] == "text/plain; charset=utf-8"
    assert head["ServerSideEncryption"] == "AES256"
    assert head["VersionId"] != "null"
