"""AWS::KMS::Key.

Source: AWS CloudFormation Template Reference, "AWS::KMS::Key"; AWS Key Management Service API Reference, "CreateKey",
"DescribeKey", "GetKeyPolicy" and "GetKeyRotationStatus".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, Schema, document_text

PROPERTIES: Final[Mapping[str, Schema]] = {
    "BypassPolicyLockoutSafetyCheck": Kind.FLAG,
    "Description": Kind.TEXT,
    "EnableKeyRotation": Kind.FLAG,
    "Enabled": Kind.FLAG,
    "KeyPolicy": Kind.DOCUMENT,
    "KeySpec": Kind.TEXT,
    "KeyUsage": Kind.TEXT,
    "MultiRegion": Kind.FLAG,
    "Origin": Kind.TEXT,
    "PendingWindowInDays": Kind.WHOLE,
    "RotationPeriodInDays": Kind.WHOLE,
    "Tags": TAGS,
}
_FIXED: Final = ("BypassPolicyLockoutSafetyCheck", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
_DESCRIBED_AS_DECLARED: Final = ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
_NAME_TAG: Final = "emulator:name"
"""Tells the key of a stack from others: keys have no names."""


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the key, or bring the one that exists to what is declared. `Ref` gives its id."""
    kms = clients.named("kms")
    key = _existing(clients, name)
    if key is None:
        settings = {one: properties[one] for one in _FIXED if one in properties}
        key = str(kms.create_key(Tags=[{"TagKey": _NAME_TAG, "TagValue": name}], **settings)["KeyMetadata"]["KeyId"])
    kms.update_key_description(KeyId=key, Description=properties.get("Description", ""))
    if "KeyPolicy" in properties:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document_text(properties["KeyPolicy"]))
    if properties.get("EnableKeyRotation", False):
        period = {key: value for key, value in properties.items() if key == "RotationPeriodInDays"}
        kms.enable_key_rotation(KeyId=key, **period)
    if properties.get("Tags"):
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties["Tags"]]
        kms.tag_resource(KeyId=key, Tags=tags)
    if properties.get("Enabled", True):
        kms.enable_key(KeyId=key)
    else:
        kms.disable_key(KeyId=key)
    return key


def _existing(clients: Clients, name: str) -> str | None:
    kms = clients.named("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for one in page["Keys"]:
            if {"TagKey": _NAME_TAG, "TagValue": name} in kms.list_resource_tags(KeyId=one["KeyId"])["Tags"]:
                return str(one["KeyId"])
    return None


def _read(clients: Clients, key: str, declared: Properties) -> Properties:
    kms = clients.named("kms")
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    rotation: Mapping[str, Any] = kms.get_key_rotation_status(KeyId=key)
    tags = kms.list_resource_tags(KeyId=key)["Tags"]
    said_at_creation = ("BypassPolicyLockoutSafetyCheck", "PendingWindowInDays")  # of the calls, not of the key
    return {
        **{name: found.get(name) for name in _DESCRIBED_AS_DECLARED},
        **{name: declared.get(name) for name in said_at_creation},
        "EnableKeyRotation": rotation.get("KeyRotationEnabled"),
        "KeyPolicy": kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
        "RotationPeriodInDays": rotation.get("RotationPeriodInDays"),
        "Tags": [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in tags if tag["TagKey"] != _NAME_TAG],
    }


RESOURCE: Final = ResourceType(
    "AWS::KMS::Key",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "arn:aws:kms:{region}:{account}:key/{ref}", "KeyId": "{ref}"},
)
