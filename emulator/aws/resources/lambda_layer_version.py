"""AWS::Lambda::LayerVersion.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::LayerVersion"; AWS Lambda API Reference,
"GetLayerVersionByArn".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, arn: str, declared: Properties) -> Properties:
    """Return a deployed layer. Whether its content is what it should be, no API tells."""
    found = clients.named("lambda").get_layer_version_by_arn(Arn=arn)
    return {
        "CompatibleArchitectures": found.get("CompatibleArchitectures"),
        "CompatibleRuntimes": found.get("CompatibleRuntimes"),
        "Content": declared.get("Content") if found.get("Content") else None,
        "Description": found.get("Description"),
        "LayerName": arn.split(":")[6],
        "LicenseInfo": found.get("LicenseInfo"),
    }


RESOURCE: Final = ResourceType(
    "AWS::Lambda::LayerVersion",
    read=_read,
    made_by="sam local",
    ref="arn:aws:lambda:{region}:{account}:layer:{name}:1",
    attributes={"LayerVersionArn": "{ref}"},
    name_property="LayerName",
    name_length=64,
)
