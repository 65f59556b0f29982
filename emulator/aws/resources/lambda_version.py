"""AWS::Lambda::Version.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Version"; AWS Lambda API Reference,
"GetFunctionConfiguration".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, arn: str, _: Properties) -> Properties:
    configuration = clients.named("lambda").get_function_configuration(FunctionName=arn)
    is_published = configuration["Version"] != "$LATEST"
    return {
        "Description": configuration.get("Description"),
        "FunctionName": configuration["FunctionName"] if is_published else None,
    }


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Version",
    read=_read,
    made_by="the engine",
    ref="arn:aws:lambda:{region}:{account}:function:{FunctionName}:1",
    attributes={"FunctionArn": "{ref}", "Version": "{name}"},
)
