"""AWS::Lambda::Url.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Url"; AWS Lambda API Reference, "GetFunctionUrlConfig".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    function = declared["TargetFunctionArn"]
    asked = {"FunctionName": function} | ({"Qualifier": declared["Qualifier"]} if "Qualifier" in declared else {})
    found = clients.named("lambda").get_function_url_config(**asked)
    cors = found.get("Cors")
    return {
        "AuthType": found.get("AuthType"),
        "Cors": cors,
        "InvokeMode": found.get("InvokeMode"),
        "Qualifier": declared.get("Qualifier"),
        "TargetFunctionArn": function,
    }


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Url",
    read=_read,
    missing="neither sam local nor the gateway serves function URLs",
    ref="{TargetFunctionArn}",
    attributes={"FunctionArn": "{ref}", "FunctionUrl": "https://{id}.lambda-url.{region}.on.aws/"},
)
