"""AWS::Lambda::EventInvokeConfig: what becomes of asynchronous invocations.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::EventInvokeConfig"; AWS Lambda API Reference,
"PutFunctionEventInvokeConfig" and "GetFunctionEventInvokeConfig".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, Schema

_DESTINATION: Final[Mapping[str, Schema]] = {"Destination": Kind.TEXT}
PROPERTIES: Final[Mapping[str, Schema]] = {
    "DestinationConfig": {"OnFailure": _DESTINATION, "OnSuccess": _DESTINATION},
    "FunctionName": Kind.TEXT,
    "MaximumEventAgeInSeconds": Kind.WHOLE,
    "MaximumRetryAttempts": Kind.WHOLE,
    "Qualifier": Kind.TEXT,
}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Put the configuration of a function's version or alias. `Ref` gives a name that nothing has."""
    clients.named("lambda").put_function_event_invoke_config(**properties)
    return name


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    asked = {key: declared[key] for key in ("FunctionName", "Qualifier")}
    found = clients.named("lambda").get_function_event_invoke_config(**asked)
    said = ("DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    return {**asked, **{key: found.get(key) for key in said}}


RESOURCE: Final = ResourceType("AWS::Lambda::EventInvokeConfig", PROPERTIES, create=_create, read=_read)
