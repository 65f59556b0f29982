"""AWS::DynamoDB::Table.

Source: AWS CloudFormation Template Reference, "AWS::DynamoDB::Table"; Amazon DynamoDB API Reference, "CreateTable" and
"Describe…".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema

_KEY_SCHEMA: Final[Schema] = [{"AttributeName": Kind.TEXT, "KeyType": Kind.TEXT}]
_PROJECTION: Final[Schema] = {"NonKeyAttributes": [Kind.TEXT], "ProjectionType": Kind.TEXT}
_THROUGHPUT: Final[Schema] = {"ReadCapacityUnits": Kind.WHOLE, "WriteCapacityUnits": Kind.WHOLE}
_INDEX: Final[Mapping[str, Schema]] = {"IndexName": Kind.TEXT, "KeySchema": _KEY_SCHEMA, "Projection": _PROJECTION}

PROPERTIES: Final[Mapping[str, Schema]] = {
    "AttributeDefinitions": [{"AttributeName": Kind.TEXT, "AttributeType": Kind.TEXT}],
    "BillingMode": Kind.TEXT,
    "DeletionProtectionEnabled": Kind.FLAG,
    "GlobalSecondaryIndexes": [{**_INDEX, "ProvisionedThroughput": _THROUGHPUT}],
    "KeySchema": _KEY_SCHEMA,
    "LocalSecondaryIndexes": [_INDEX],
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": Kind.FLAG, "RecoveryPeriodInDays": Kind.WHOLE},
    "ProvisionedThroughput": _THROUGHPUT,
    "SSESpecification": {"KMSMasterKeyId": Kind.TEXT, "SSEEnabled": Kind.FLAG, "SSEType": Kind.TEXT},
    "StreamSpecification": {"StreamViewType": Kind.TEXT},
    "TableClass": Kind.TEXT,
    "TableName": Kind.TEXT,
    "Tags": TAGS,
    "TimeToLiveSpecification": {"AttributeName": Kind.TEXT, "Enabled": Kind.FLAG},
}
# What CreateTable takes under CloudFormation's own names.
_AS_DECLARED: Final = (
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "TableClass",
    "Tags",
)
_DESCRIBED_AS_DECLARED: Final = (
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
    "TableName",
)
_ACTIVE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.02


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the table, or bring the one that exists to what is declared. `Ref` gives its name."""
    dynamodb = clients.dynamodb
    try:
        dynamodb.create_table(**_request(name, properties))
    except dynamodb.exceptions.ResourceInUseException:
        description: Mapping[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
        _update(clients, name, properties, description)
    else:
        _wait_until_active(clients, name)
    recovery = properties.get("PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": False})
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    _set_time_to_live(clients, name, properties.get("TimeToLiveSpecification"))
    return name


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    dynamodb: Any = clients.dynamodb
    described = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    encryption = described.get("SSEDescription", {})
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return {
        **{key: described.get(key) for key in _DESCRIBED_AS_DECLARED},
        "BillingMode": described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": described.get("DeletionProtectionEnabled", False),
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
            "RecoveryPeriodInDays": recovery.get("RecoveryPeriodInDays"),
        },
        "SSESpecification": {
            "KMSMasterKeyId": encryption.get("KMSMasterKeyArn"),
            "SSEEnabled": encryption.get("Status") in ("ENABLED", "ENABLING"),
            "SSEType": encryption.get("SSEType"),
        },
        "TableClass": described.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        "Tags": dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"],
        "TimeToLiveSpecification": {
            "AttributeName": expiry.get("AttributeName"),
            "Enabled": expiry.get("TimeToLiveStatus") == "ENABLED",
        },
    }


def _look_up(clients: Clients, name: str) -> Mapping[str, str]:
    stream = clients.dynamodb.describe_table(TableName=name)["Table"].get("LatestStreamArn")
    return {"StreamArn": stream} if stream else {}


def _wait_until_active(clients: Clients, name: str) -> None:
    """Return once the table can be used (boto3's own waiter sleeps a second at least)."""
    deadline = time.monotonic() + _ACTIVE_SECONDS
    while clients.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        if time.monotonic() > deadline:
            raise PropertyError(f"the table did not become active within {_ACTIVE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _request(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    request = {key: properties[key] for key in _AS_DECLARED if key in properties}
    request["TableName"] = name
    request["BillingMode"] = properties.get("BillingMode", "PROVISIONED")
    request["DeletionProtectionEnabled"] = properties.get("DeletionProtectionEnabled", False)
    if "SSESpecification" in properties:
        request["SSESpecification"] = _encryption(properties)
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return request


def _encryption(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return SSESpecification with the API's name for CloudFormation's SSEEnabled."""
    declared = dict(properties.get("SSESpecification", {"SSEEnabled": False}))
    return {"Enabled": declared.pop("SSEEnabled"), **declared}


def _update(clients: Clients, name: str, properties: Mapping[str, Any], description: Mapping[str, Any]) -> None:
    """Bring a table that exists to what is declared; what cannot be changed must be the same already."""
    there = _fixed_settings(description)
    for key, value in _fixed_properties(properties).items():
        if there[key] != value:
            raise PropertyError(f"{key} differs from the table that exists; stop the emulator and start it again")
    protected = properties.get("DeletionProtectionEnabled", False)
    if description.get("DeletionProtectionEnabled", False) != protected:
        clients.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=protected)
    encryption = _encryption(properties)
    if (description.get("SSEDescription", {}).get("Status") == "ENABLED") != encryption["Enabled"]:
        clients.dynamodb.update_table(TableName=name, SSESpecification=encryption)  # type: ignore[arg-type]
    arn = description["TableArn"]
    declared_tags = properties.get("Tags", [])
    present = {tag["Key"] for tag in clients.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]}
    stale = sorted(present - {tag["Key"] for tag in declared_tags})
    if stale:
        clients.dynamodb.untag_resource(ResourceArn=arn, TagKeys=stale)
    if declared_tags:
        clients.dynamodb.tag_resource(ResourceArn=arn, Tags=declared_tags)


def _set_time_to_live(clients: Clients, name: str, declared: Mapping[str, Any] | None) -> None:
    """Set it only when it differs: UpdateTimeToLive refuses a request that changes nothing."""
    present = clients.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    enabled = present.get("TimeToLiveStatus") == "ENABLED"
    wanted = declared or {"Enabled": False, "AttributeName": present.get("AttributeName", "")}
    if enabled != wanted["Enabled"]:
        specification = {"Enabled": wanted["Enabled"], "AttributeName": wanted["AttributeName"]}
        clients.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)  # type: ignore[arg-type]


def _fixed_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set only when a table is made here, from its properties."""
    throughput = properties.get("ProvisionedThroughput", {})
    return {
        "AttributeDefinitions": _unordered(properties.get("AttributeDefinitions", [])),
        "KeySchema": _unordered(properties.get("KeySchema", [])),
        "BillingMode": properties.get("BillingMode", "PROVISIONED"),
        "GlobalSecondaryIndexes": _indexes(properties.get("GlobalSecondaryIndexes", [])),
        "LocalSecondaryIndexes": _indexes(properties.get("LocalSecondaryIndexes", [])),
        "ProvisionedThroughput": _units(throughput),
        "StreamSpecification": properties.get("StreamSpecification", {}).get("StreamViewType"),
        "TableClass": properties.get("TableClass", "STANDARD"),
    }


def _fixed_settings(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same as `_fixed_properties`, from DescribeTable's answer."""
    return _fixed_properties(
        {
            **description,
            "BillingMode": description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "TableClass": description.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        }
    )


def _unordered(members: list[Mapping[str, Any]]) -> set[tuple[tuple[str, Any], ...]]:
    return {tuple(sorted(member.items())) for member in members}


def _indexes(indexes: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {index["IndexName"]: (_unordered(index["KeySchema"]), _projection(index)) for index in indexes}


def _projection(index: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    declared = index.get("Projection", {})
    return declared.get("ProjectionType", "ALL"), frozenset(declared.get("NonKeyAttributes", []))


def _units(throughput: Mapping[str, Any]) -> tuple[int, int]:
    return throughput.get("ReadCapacityUnits", 0), throughput.get("WriteCapacityUnits", 0)


RESOURCE: Final = ResourceType(
    "AWS::DynamoDB::Table",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "arn:aws:dynamodb:{region}:{account}:table/{name}", "StreamArn": LOOKED_UP},
    look_up=_look_up,
    name_property="TableName",
    unreported=frozenset({"PointInTimeRecoverySpecification.RecoveryPeriodInDays"}),
)
