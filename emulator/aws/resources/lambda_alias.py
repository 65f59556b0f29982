"""AWS::Lambda::Alias.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Alias"; AWS Lambda API Reference, "CreateAlias",
"UpdateAlias" and "GetAlias".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _create(clients: Clients, _: str, properties: Properties) -> str:
    """Create the alias, or point the one that exists at the version. `Ref` gives its ARN."""
    functions = clients.named("lambda")
    request = {key: properties[key] for key in ("FunctionName", "FunctionVersion", "Name")}
    try:
        return str(functions.create_alias(**request)["AliasArn"])
    except functions.exceptions.ResourceConflictException:
        return str(functions.update_alias(**request)["AliasArn"])


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
    create=_create,
    read=_read,
    made_by="the engine",
    attributes={"AliasArn": "{ref}"},
)
