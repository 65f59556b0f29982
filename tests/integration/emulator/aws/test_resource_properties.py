"""Properties that the shop's template does not use today reach the endpoint all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.clients import Clients
from emulator.aws.stack import Stack
from sam_template import Template, TemplateError

TEMPLATE = """
Resources:
  Carts:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: carts
      AttributeDefinitions:
        - {AttributeName: user, AttributeType: S}
        - {AttributeName: at, AttributeType: N}
        - {AttributeName: shop, AttributeType: S}
      KeySchema: [{AttributeName: user, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
      ProvisionedThroughput: {ReadCapacityUnits: "5", WriteCapacityUnits: 6}
      GlobalSecondaryIndexes:
        - IndexName: by-shop
          KeySchema: [{AttributeName: shop, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [total]}
          ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 2}
      LocalSecondaryIndexes:
        - IndexName: by-user
          KeySchema: [{AttributeName: user, KeyType: HASH}, {AttributeName: shop, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: "true"}
      TableClass: STANDARD_INFREQUENT_ACCESS
  Uploads:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: uploads-of-the-shop
      CorsConfiguration:
        CorsRules:
          - {AllowedMethods: [GET], AllowedOrigins: ["https://shop.example"], ExposedHeaders: [etag], MaxAge: 60}
      LifecycleConfiguration:
        Rules:
          - Id: Archive
            Status: Enabled
            Prefix: old/
            ExpirationInDays: 365
            Transitions: [{StorageClass: GLACIER, TransitionInDays: 30}]
  Token:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: token, SecretString: known}
  Boundary:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      Path: /shop/
      Description: Works.
      MaxSessionDuration: 7200
      PermissionsBoundary: arn:aws:iam::aws:policy/ReadOnlyAccess
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
Outputs:
  Stream: {Value: !GetAtt Carts.StreamArn}
  Domain: {Value: !GetAtt Uploads.RegionalDomainName}
  Role: {Value: !GetAtt Boundary.Arn}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("everything") / "template.yaml"
    file.write_text(TEMPLATE)
    return file


@pytest.fixture(scope="module")
def stack(path: Path, root: Clients) -> Stack:
    stack = Stack(Template.load(path), root.endpoint, name="everything")
    stack.create()
    stack.create()  # nothing differs the second time
    return stack


def test_table(stack: Stack, root: Clients) -> None:
    table: Any = root.dynamodb.describe_table(TableName="carts")["Table"]
    throughput = table["ProvisionedThroughput"]
    assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (5, 6)
    (by_shop,) = table["GlobalSecondaryIndexes"]
    assert by_shop["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"]}
    (by_user,) = table["LocalSecondaryIndexes"]
    assert by_user["KeySchema"][1] == {"AttributeName": "shop", "KeyType": "RANGE"}
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert table["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    assert stack.outputs()["Stream"] == table["LatestStreamArn"]
    ttl = root.dynamodb.describe_time_to_live(TableName="carts")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("NEW_IMAGE", "KEYS_ONLY", "StreamSpecification"),
        ('ReadCapacityUnits: "5"', 'ReadCapacityUnits: "7"', "ProvisionedThroughput"),
        ("NonKeyAttributes: [total]", "NonKeyAttributes: [sum]", "GlobalSecondaryIndexes"),
        ("      TableClass: STANDARD_INFREQUENT_ACCESS\n", "", "TableClass"),
    ],
)
def test_a_setting_that_cannot_be_changed_is_named(
    path: Path, tmp_path: Path, root: Clients, old: str, new: str, name: str
) -> None:
    changed = tmp_path / path.name
    changed.write_text(TEMPLATE.replace(old, new))
    with pytest.raises(TemplateError, match=rf"Carts \(AWS::DynamoDB::Table\): {name} differs"):
        Stack(Template.load(changed), root.endpoint, name="everything").create()


def test_bucket(stack: Stack, root: Clients) -> None:
    (cors,) = root.s3.get_bucket_cors(Bucket="uploads-of-the-shop")["CORSRules"]
    assert cors == {
        "AllowedMethods": ["GET"],
        "AllowedOrigins": ["https://shop.example"],
        "ExposeHeaders": ["etag"],
        "MaxAgeSeconds": 60,
    }
    (rule,) = root.s3.get_bucket_lifecycle_configuration(Bucket="uploads-of-the-shop")["Rules"]
    assert rule["Expiration"] == {"Days": 365}
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    assert rule["Filter"] == {"Prefix": "old/"}
    assert stack.outputs()["Domain"] == "uploads-of-the-shop.s3.us-east-1.amazonaws.com"


@pytest.mark.usefixtures("stack")
def test_secret(root: Clients) -> None:
    assert root.secretsmanager.get_secret_value(SecretId="token")["SecretString"] == "known"


def test_role(stack: Stack, root: Clients) -> None:
    role = root.iam.get_role(RoleName="worker")["Role"]
    assert (role["Path"], role["Description"], role["MaxSessionDuration"]) == ("/shop/", "Works.", 7200)
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert json.loads(json.dumps(role["AssumeRolePolicyDocument"]))["Version"] == "2012-10-17"
    assert stack.outputs()["Role"] == "arn:aws:iam::000000000000:role/shop/worker"
