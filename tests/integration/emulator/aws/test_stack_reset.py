"""A reset brings a stack back to its first moment. It empties a whole endpoint, so this one is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.aws.clients import Clients
from emulator.aws.ministack import MiniStack
from emulator.aws.stack import Stack
from emulator.credentials import Endpoint, RootCredentials
from sam_template import Template, TemplateError
from tests.integration.emulator.aws.role_clients import RoleClients
from tests.integration.emulator.conftest import running_ministack
from tests.shop import PROJECT


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with running_ministack(tmp_path_factory.mktemp("reset") / "log") as server:
        yield server


@pytest.fixture
def root(ministack: MiniStack) -> Clients:
    return Clients(ministack.endpoint, "us-east-1")


class TestReset:
    @pytest.fixture
    def stack(self, shop_template: Template, root: Clients) -> Stack:
        stack = Stack(shop_template, root.endpoint, name="shop-reset", declaration=PROJECT.declaration)
        stack.create()
        stack.load_sample_data()
        return stack

    def test_everything_is_as_it_was(self, stack: Stack, root: Clients) -> None:
        before, table = stack.sam_environment(), stack.outputs()["TableName"]
        secret, bucket = before["InventoryFunction"]["SECRETS_MANAGER_SECRET"], before["InventoryFunction"]["S3_BUCKET"]
        value = root.secretsmanager.get_secret_value(SecretId=secret)["SecretString"]
        count = root.dynamodb.scan(TableName=table, Select="COUNT")["Count"]
        root.dynamodb.delete_item(TableName=table, Key={"sku": {"S": "CHIPS-BEET-80G"}})
        root.dynamodb.put_item(TableName=table, Item={"sku": {"S": "EXTRA"}})
        root.s3.put_object(Bucket=bucket, Key="extra.txt", Body=b"x")
        root.s3.delete_object(Bucket=bucket, Key="sample.txt")
        root.secretsmanager.put_secret_value(SecretId=secret, SecretString="{}")
        stack.reset()
        assert stack.sam_environment() == before
        assert root.dynamodb.scan(TableName=table, Select="COUNT")["Count"] == count
        assert "Item" not in root.dynamodb.get_item(TableName=table, Key={"sku": {"S": "EXTRA"}})
        keys = {entry["Key"] for entry in root.s3.list_objects_v2(Bucket=bucket)["Contents"]}
        assert "sample.txt" in keys
        assert "extra.txt" not in keys
        assert root.secretsmanager.get_secret_value(SecretId=secret)["SecretString"] == value
        settings = root.s3.get_bucket_versioning(Bucket=bucket)
        assert settings["Status"] == "Enabled"

    def test_idempotency_tokens_are_forgotten(self, stack: Stack, root: Clients) -> None:
        table, key = stack.outputs()["TableName"], {"sku": {"S": "CHIPS-BEET-80G"}}
        update: Any = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "ADD qty :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

        def sell() -> int:
            root.dynamodb.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken="same")
            return int(root.dynamodb.get_item(TableName=table, Key=key)["Item"]["qty"]["N"])

        first = sell()
        assert sell() == first
        stack.reset()
        assert sell() == first

    def test_sessions_of_running_functions_stay_good(self, stack: Stack, root: Clients) -> None:
        running = RoleClients(stack, root.endpoint_url)
        stack.reset()
        variables = stack.environment("InventoryFunction")
        assert running.client("s3").get_object(Bucket=variables["S3_BUCKET"], Key="sample.txt")["Body"].read()
        assert running.client("secretsmanager").get_secret_value(SecretId=variables["SECRETS_MANAGER_SECRET"])[
            "SecretString"
        ]

    def test_an_endpoint_that_cannot_be_reset_is_named(self, shop_template: Template) -> None:
        with pytest.raises(TemplateError, match="only MiniStack can be reset"):
            Stack(shop_template, Endpoint("http://127.0.0.1:9", RootCredentials.random())).reset()
