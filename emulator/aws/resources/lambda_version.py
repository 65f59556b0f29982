"""AWS::Lambda::Version.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Version"; AWS Lambda API Reference,
"PublishVersion" and "GetFunctionConfiguration".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _create(clients: Clients, _: str, properties: Properties) -> str:
    """Publish the forwarder; Lambda publishes nothing that is like the last version. `Ref` gives its ARN."""
    published = clients.named("lambda").publish_version(FunctionName=properties["FunctionName"])
    arn = str(published["FunctionArn"])
    suffix = f":{published['Version']}"
    return arn if arn.endswith(suffix) else arn + suffix


def _read(clients: Clients, arn: str, _: Properties) -> Properties:
    configuration = clients.named("lambda").get_function_configuration(FunctionName=arn)
    is_published = configuration["Version"] != "$LATEST"
    return {
        "Description": configuration.get("Description"),
        "FunctionName": configuration["FunctionName"] if is_published else None,
    }


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Version",
    create=_create,
    read=_read,
    made_by="the engine",
    attributes={"FunctionArn": "{ref}", "Version": "{name}"},
)
