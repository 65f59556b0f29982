"""AWS::S3::Bucket.

Source: AWS CloudFormation Template Reference, "AWS::S3::Bucket" and its property types; Amazon S3 API Reference, the
Put… and Get… action of each setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, Schema

_LIFECYCLE_RULE: Final[Mapping[str, Schema]] = {
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": Kind.WHOLE},
    "ExpirationInDays": Kind.WHOLE,
    "ExpiredObjectDeleteMarker": Kind.FLAG,
    "Id": Kind.TEXT,
    "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": Kind.WHOLE, "NoncurrentDays": Kind.WHOLE},
    "Prefix": Kind.TEXT,
    "Status": Kind.TEXT,
    "Transitions": [{"StorageClass": Kind.TEXT, "TransitionInDays": Kind.WHOLE}],
}
_CORS_RULE: Final[Mapping[str, Schema]] = {
    "AllowedHeaders": [Kind.TEXT],
    "AllowedMethods": [Kind.TEXT],
    "AllowedOrigins": [Kind.TEXT],
    "ExposedHeaders": [Kind.TEXT],
    "Id": Kind.TEXT,
    "MaxAge": Kind.WHOLE,
}
_ENCRYPTION_RULE: Final[Mapping[str, Schema]] = {
    "BucketKeyEnabled": Kind.FLAG,
    "ServerSideEncryptionByDefault": {"KMSMasterKeyID": Kind.TEXT, "SSEAlgorithm": Kind.TEXT},
}

_KEY_FILTER: Final[Schema] = {"S3Key": {"Rules": [{"Name": Kind.TEXT, "Value": Kind.TEXT}]}}

PROPERTIES: Final[Mapping[str, Schema]] = {
    "BucketEncryption": {"ServerSideEncryptionConfiguration": [_ENCRYPTION_RULE]},
    "BucketName": Kind.TEXT,
    "CorsConfiguration": {"CorsRules": [_CORS_RULE]},
    "LifecycleConfiguration": {"Rules": [_LIFECYCLE_RULE]},
    "NotificationConfiguration": {
        "EventBridgeConfiguration": {"EventBridgeEnabled": Kind.FLAG},
        "LambdaConfigurations": [{"Event": Kind.TEXT, "Filter": _KEY_FILTER, "Function": Kind.TEXT}],
        "QueueConfigurations": [{"Event": Kind.TEXT, "Filter": _KEY_FILTER, "Queue": Kind.TEXT}],
        "TopicConfigurations": [{"Event": Kind.TEXT, "Filter": _KEY_FILTER, "Topic": Kind.TEXT}],
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": Kind.TEXT}]},
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": Kind.FLAG,
        "BlockPublicPolicy": Kind.FLAG,
        "IgnorePublicAcls": Kind.FLAG,
        "RestrictPublicBuckets": Kind.FLAG,
    },
    "Tags": TAGS,
    "VersioningConfiguration": {"Status": Kind.TEXT},
}


# What S3's API calls otherwise than CloudFormation.
_ENCRYPTION: Final = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
_CORS: Final = {"ExposedHeaders": "ExposeHeaders", "Id": "ID", "MaxAge": "MaxAgeSeconds"}


def lifecycle_rule(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of CloudFormation's LifecycleConfiguration as PutBucketLifecycleConfiguration takes it."""
    rule: dict[str, Any] = {"Status": declared["Status"], "Filter": {"Prefix": declared.get("Prefix", "")}}
    if "Id" in declared:
        rule["ID"] = declared["Id"]
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in declared:
            rule[name] = declared[name]
    if "ExpirationInDays" in declared:
        rule["Expiration"] = {"Days": declared["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in declared:
        rule["Expiration"] = {"ExpiredObjectDeleteMarker": declared["ExpiredObjectDeleteMarker"]}
    if "Transitions" in declared:
        rule["Transitions"] = [
            {"Days": transition["TransitionInDays"], "StorageClass": transition["StorageClass"]}
            for transition in declared["Transitions"]
        ]
    return rule


def encryption_rule(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of CloudFormation's BucketEncryption as PutBucketEncryption takes it."""
    return {_ENCRYPTION.get(name, name): value for name, value in declared.items()}


def cors_rule(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of CloudFormation's CorsConfiguration as PutBucketCors takes it."""
    return {_CORS.get(name, name): value for name, value in declared.items()}


def _set_encryption(clients: Clients, bucket: str, declared: Any) -> None:
    rules = [encryption_rule(rule) for rule in declared["ServerSideEncryptionConfiguration"]]
    configuration: Any = {"Rules": rules}
    clients.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)


def _set_cors(clients: Clients, bucket: str, declared: Any) -> None:
    configuration: Any = {"CORSRules": [cors_rule(rule) for rule in declared["CorsRules"]]}
    clients.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=configuration)


def _set_lifecycle(clients: Clients, bucket: str, declared: Any) -> None:
    configuration: Any = {"Rules": [lifecycle_rule(rule) for rule in declared["Rules"]]}
    clients.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=configuration)


_NOTIFIED: Final = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}
"""For each list of a NotificationConfiguration: what the API calls it, and whom it notifies here and there."""


def notification(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return CloudFormation's NotificationConfiguration as PutBucketNotificationConfiguration takes it."""
    told: dict[str, Any] = {}
    for name, (api_name, target, api_target) in _NOTIFIED.items():
        for one in declared.get(name, []):
            entry: dict[str, Any] = {"Events": [one["Event"]], api_target: one[target]}
            if "Filter" in one:
                rules = one["Filter"]["S3Key"]["Rules"]
                entry["Filter"] = {"Key": {"FilterRules": rules}}
            told.setdefault(api_name, []).append(entry)
    if declared.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", "EventBridgeConfiguration" in declared):
        told["EventBridgeConfiguration"] = {}
    return told


def _declared_notification(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what GetBucketNotificationConfiguration tells in CloudFormation's words."""
    declared: dict[str, Any] = {}
    for name, (api_name, target, api_target) in _NOTIFIED.items():
        for entry in told.get(api_name, []):
            for event in entry["Events"]:
                one = {"Event": event, target: entry[api_target]}
                rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
                if rules:
                    filters = [{"Name": rule["Name"].lower(), "Value": rule["Value"]} for rule in rules]
                    one["Filter"] = {"S3Key": {"Rules": filters}}
                declared.setdefault(name, []).append(one)
    if "EventBridgeConfiguration" in told:
        declared["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
    return declared


def _set_notification(clients: Clients, bucket: str, declared: Any) -> None:
    configuration: Any = notification(declared)
    clients.s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def _set_versioning(clients: Clients, bucket: str, declared: Any) -> None:
    clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=declared)


# For each property, how it is set on a bucket, and how it is taken off one that had it.
_SETTINGS: Final[Mapping[str, tuple[Callable[[Clients, str, Any], object], Callable[[Clients, str], object]]]] = {
    "BucketEncryption": (_set_encryption, lambda clients, bucket: clients.s3.delete_bucket_encryption(Bucket=bucket)),
    "CorsConfiguration": (_set_cors, lambda clients, bucket: clients.s3.delete_bucket_cors(Bucket=bucket)),
    "LifecycleConfiguration": (
        _set_lifecycle,
        lambda clients, bucket: clients.s3.delete_bucket_lifecycle(Bucket=bucket),
    ),
    "NotificationConfiguration": (
        _set_notification,
        lambda clients, bucket: clients.s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={}
        ),
    ),
    "OwnershipControls": (
        lambda clients, bucket, declared: clients.s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls=declared
        ),
        lambda clients, bucket: clients.s3.delete_bucket_ownership_controls(Bucket=bucket),
    ),
    "PublicAccessBlockConfiguration": (
        lambda clients, bucket, declared: clients.s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=declared
        ),
        lambda clients, bucket: clients.s3.delete_public_access_block(Bucket=bucket),
    ),
    "Tags": (
        lambda clients, bucket, declared: clients.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": declared}),
        lambda clients, bucket: clients.s3.delete_bucket_tagging(Bucket=bucket),
    ),
    "VersioningConfiguration": (
        _set_versioning,
        lambda clients, bucket: _set_versioning(clients, bucket, {"Status": "Suspended"}),
    ),
}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the bucket, or bring the one that exists to what is declared. `Ref` gives its name."""
    existed = _exists(clients, name)
    if not existed:
        location: Any = {"CreateBucketConfiguration": {"LocationConstraint": clients.region}}
        clients.s3.create_bucket(Bucket=name, **({} if clients.region == "us-east-1" else location))
    for setting, (put, take_off) in _SETTINGS.items():
        if setting in properties:
            put(clients, name, properties[setting])
        elif existed:
            take_off(clients, name)
    return name


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    s3: Any = clients.s3
    encryption = if_any(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"])
    lifecycle = if_any(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
    cors = if_any(lambda: s3.get_bucket_cors(Bucket=name)["CORSRules"])
    return {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [_declared(rule, _ENCRYPTION) for rule in encryption]}
        if encryption
        else None,
        "BucketName": name if _exists(clients, name) else None,
        "CorsConfiguration": {"CorsRules": [_declared(rule, _CORS) for rule in cors]} if cors else None,
        "LifecycleConfiguration": {"Rules": [_declared_lifecycle(rule) for rule in lifecycle]} if lifecycle else None,
        "NotificationConfiguration": _declared_notification(s3.get_bucket_notification_configuration(Bucket=name)),
        "OwnershipControls": if_any(lambda: s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]),
        "PublicAccessBlockConfiguration": if_any(
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        ),
        "Tags": if_any(lambda: s3.get_bucket_tagging(Bucket=name)["TagSet"]),
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status")},
    }


def if_any(read: Callable[[], Any]) -> Any:
    """Return what S3 has under a name, None when it has nothing: it answers 404 then."""
    try:
        return read()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def _declared(rule: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return what S3 calls a rule, in CloudFormation's words."""
    renamed = {api: declared for declared, api in names.items()}
    return {renamed.get(name, name): value for name, value in rule.items()}


def _declared_lifecycle(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of GetBucketLifecycleConfiguration in CloudFormation's words."""
    expiration = rule.get("Expiration", {})
    return {
        **{
            name: rule.get(name) for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status")
        },
        "ExpirationInDays": expiration.get("Days"),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker"),
        "Id": rule.get("ID"),
        "Prefix": rule.get("Filter", {}).get("Prefix", rule.get("Prefix")),
        "Transitions": [
            {"StorageClass": transition["StorageClass"], "TransitionInDays": transition.get("Days")}
            for transition in rule.get("Transitions", [])
        ],
    }


def _exists(clients: Clients, name: str) -> bool:
    try:
        clients.s3.head_bucket(Bucket=name)
    except clients.s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return False
    return True


RESOURCE: Final = ResourceType(
    "AWS::S3::Bucket",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={
        "Arn": "arn:aws:s3:::{name}",
        "DomainName": "{name}.s3.amazonaws.com",
        "DualStackDomainName": "{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": "{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": "http://{name}.s3-website-{region}.amazonaws.com",
    },
    name_property="BucketName",
    name_length=63,
    lower_case=True,
)
