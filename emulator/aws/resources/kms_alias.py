"""AWS::KMS::Alias.

Source: AWS CloudFormation Template Reference, "AWS::KMS::Alias"; AWS Key Management Service API Reference,
"CreateAlias", "UpdateAlias" and "ListAliases".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, Schema

PROPERTIES: Final[Mapping[str, Schema]] = {"AliasName": Kind.TEXT, "TargetKeyId": Kind.TEXT}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the alias, or point the one that exists at the key. `Ref` gives its name."""
    kms = clients.named("kms")
    try:
        kms.create_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
    except kms.exceptions.AlreadyExistsException:
        kms.update_alias(AliasName=name, TargetKeyId=properties["TargetKeyId"])
    return name


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    pages = clients.named("kms").get_paginator("list_aliases").paginate()
    found: Mapping[str, Any] = next((one for page in pages for one in page["Aliases"] if one["AliasName"] == name), {})
    key, target = found.get("TargetKeyId"), str(declared.get("TargetKeyId", ""))
    is_same = key is not None and key == target.rpartition("/")[2]  # a template may give the id or the ARN
    return {"AliasName": found.get("AliasName"), "TargetKeyId": target if is_same else key}


RESOURCE: Final = ResourceType(
    "AWS::KMS::Alias",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"AliasArn": "arn:aws:kms:{region}:{account}:{ref}"},
    name_property="AliasName",
)
