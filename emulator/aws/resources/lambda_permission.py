"""AWS::Lambda::Permission.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Permission"; AWS Lambda API Reference,
"AddPermission" and "GetPolicy".
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_TAKEN: Final = ("Action", "EventSourceToken", "FunctionUrlAuthType", "Principal", "SourceAccount", "SourceArn")
_NOT_NEEDED: Final = frozenset({"apigateway.amazonaws.com", "codedeploy.amazonaws.com"})
"""Principals that invoke no forwarder: `sam local` serves the APIs, and a local run deploys nothing."""
_SENDERS: Final = frozenset(
    f"{service}.amazonaws.com" for service in ("cognito-idp", "events", "iot", "lambda", "logs", "s3", "sns")
)
"""Principals of which MiniStack sends events."""
_SERVICE: Final = ".amazonaws.com"
_ALEXA: Final = "alexa-appkit.amazon.com"


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Add the statement to the forwarder's policy. `Ref` gives its id."""
    if properties["Principal"] in _NOT_NEEDED:
        return name
    functions = clients.named("lambda")
    function, qualifier = _unqualified(properties["FunctionName"])
    statement = {"FunctionName": function, "StatementId": name} | ({"Qualifier": qualifier} if qualifier else {})
    with contextlib.suppress(functions.exceptions.ResourceNotFoundException):  # it is added for the first time
        functions.remove_permission(**statement)
    settings = {key: properties[key] for key in _TAKEN if key in properties}
    functions.add_permission(**statement, **settings)
    return name


def _unqualified(function: str) -> tuple[str, str]:
    """Return the name and the qualifier of a function's ARN, or of its name."""
    name, _, qualifier = function.rpartition(":function:")[2].partition(":")
    return name, qualifier


def _read(clients: Clients, sid: str, declared: Properties) -> Properties:
    """Return the statement `sid` of the function's policy."""
    function = declared["FunctionName"]
    name, qualifier = _unqualified(function)
    asked = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    statements = json.loads(clients.named("lambda").get_policy(**asked)["Policy"])["Statement"]
    statement: Mapping[str, Any] = next((one for one in statements if one["Sid"] == sid), {})
    principal, condition = statement.get("Principal"), statement.get("Condition", {})
    resource = str(statement.get("Resource", ""))
    # A template may give the function's name or its ARN; the policy has its ARN.
    is_here = resource == function or resource.endswith(f":function:{function}")
    return {
        "Action": statement.get("Action"),
        "FunctionName": function if is_here else resource or None,
        "Principal": principal.get("Service") if isinstance(principal, dict) else principal,
        "SourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
        "SourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
    }


def _left_out(properties: Properties) -> Sequence[str]:
    principal = str(properties.get("Principal", ""))
    is_service = principal.endswith(_SERVICE) or principal == _ALEXA
    if is_service and principal not in _SENDERS | _NOT_NEEDED:
        return (f"nothing here sends events of {principal}",)
    return ()


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Permission", create=_create, read=_read, made_by="the engine", left_out=_left_out
)
