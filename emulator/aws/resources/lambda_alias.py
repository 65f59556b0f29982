"""AWS::Lambda::Alias.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Alias"; AWS Lambda API Reference, "GetAlias".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, arn: str, declared: Properties) -> Properties:
    function = declared["FunctionName"]
    found = clients.named("lambda").get_alias(FunctionName=function, Name=arn.rpartition(":")[2])
    return {
        "Description": found.get("Description"),
        "FunctionName": function,
        "FunctionVersion": found["FunctionVersion"],
        "Name": found["Name"],
    }


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Alias",
    read=_read,
    made_by="the engine",
    ref="arn:aws:lambda:{region}:{account}:function:{FunctionName}:{Name}",
    attributes={"AliasArn": "{ref}"},
)
