"""The table, the bucket and the secret.

Source: Amazon DynamoDB API Reference, "DescribeTable" and "DescribeContinuousBackups"; Amazon S3 API Reference,
"GetBucket…"; AWS Secrets Manager API Reference, "DescribeSecret" and "GetSecretValue".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.rehearsal.services import Services

GENERATED: Final = "GenerateSecretString"


def table(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::DynamoDB::Table."""
    dynamodb: Any = services.dynamodb
    described = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    encryption = described.get("SSEDescription", {})
    return {
        "AttributeDefinitions": described["AttributeDefinitions"],
        "BillingMode": described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": described.get("DeletionProtectionEnabled", False),
        "KeySchema": described["KeySchema"],
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
        },
        "SSESpecification": {
            "SSEEnabled": encryption.get("Status") in ("ENABLED", "ENABLING"),
            "SSEType": encryption.get("SSEType"),
        },
        "Tags": dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"],
    }


def bucket(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::S3::Bucket."""
    s3: Any = services.s3
    encryption = _if_any(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"])
    rules = encryption["Rules"] if encryption else []
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
                    "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                }
                for rule in rules
            ]
        },
        "LifecycleConfiguration": {
            "Rules": [
                {**rule, "Id": rule.get("ID")}
                for rule in _if_any(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]) or []
            ]
        },
        "OwnershipControls": _if_any(lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]),
        "PublicAccessBlockConfiguration": _if_any(
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        ),
        "Tags": _if_any(lambda: s3.get_bucket_tagging(Bucket=name)["TagSet"]),
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status")},
    }


def bucket_policy(services: Services, _: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::S3::BucketPolicy; it is where it says that it is, or nowhere."""
    name = declared["Bucket"]
    policy = _if_any(lambda: services.s3.get_bucket_policy(Bucket=name)["Policy"])
    return {"Bucket": name if policy else None, "PolicyDocument": policy}


def secret(services: Services, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::SecretsManager::Secret. What was generated is judged, not shown."""
    manager: Any = services.secretsmanager
    described = manager.describe_secret(SecretId=arn)
    value = manager.get_secret_value(SecretId=arn).get("SecretString", "")
    return {
        "Description": described.get("Description"),
        GENERATED: _recipe(value, declared[GENERATED]) if GENERATED in declared else None,
        "KmsKeyId": described.get("KmsKeyId"),
        "Tags": described.get("Tags"),
    }


def _recipe(value: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return of which GenerateSecretString a secret's value can be."""
    member = str(declared.get("GenerateStringKey"))
    members = json.loads(value)
    generated = str(members.pop(member, ""))
    return {
        "ExcludePunctuation": generated.isalnum(),
        "GenerateStringKey": member if generated else None,
        "PasswordLength": len(generated),
        "SecretStringTemplate": members,
    }


def _if_any(read: Callable[[], Any]) -> Any:
    """Return what S3 has under a name, None when it has nothing: it answers 404 then."""
    try:
        return read()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
