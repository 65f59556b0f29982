"""AWS::Lambda::Permission.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Permission"; AWS Lambda API Reference, "GetPolicy".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, sid: str, declared: Properties) -> Properties:
    """Return the statement `sid` of the function's policy."""
    function = declared["FunctionName"]
    name, _, qualifier = function.rpartition(":function:")[2].partition(":")
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


RESOURCE: Final = ResourceType("AWS::Lambda::Permission", read=_read, made_by="the engine")
