"""AWS::StepFunctions::StateMachine.

Source: AWS CloudFormation Template Reference, "AWS::StepFunctions::StateMachine"; AWS Step Functions API Reference,
"CreateStateMachine", "UpdateStateMachine" and "DescribeStateMachine".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema, document_text
from sam_template import ACCOUNT_ID

PROPERTIES: Final[Mapping[str, Schema]] = {
    "Definition": Kind.DOCUMENT,
    "DefinitionString": Kind.TEXT,
    "DefinitionSubstitutions": Kind.DOCUMENT,
    "LoggingConfiguration": {
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": Kind.TEXT}}],
        "IncludeExecutionData": Kind.FLAG,
        "Level": Kind.TEXT,
    },
    "RoleArn": Kind.TEXT,
    "StateMachineName": Kind.TEXT,
    "StateMachineType": Kind.TEXT,
    "Tags": TAGS,
    "TracingConfiguration": {"Enabled": Kind.FLAG},
}


def definition(properties: Properties) -> str:
    """Return the Amazon States Language of a state machine, its `${Name}` substituted. Raises PropertyError."""
    declared = properties.get("DefinitionString", properties.get("Definition"))
    if declared is None:
        raise PropertyError("a Definition or DefinitionString is needed: a file in S3 is not read here")
    substitutions: Mapping[str, Any] = properties.get("DefinitionSubstitutions", {})
    return re.sub(r"\$\{(\w+)\}", lambda found: str(substitutions.get(found[1], found[0])), document_text(declared))


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the state machine, or update the one that exists. `Ref` gives its ARN."""
    steps = clients.named("stepfunctions")
    request = {"definition": definition(properties), "roleArn": properties["RoleArn"], **_settings(properties)}
    arn = f"arn:aws:states:{clients.region}:{ACCOUNT_ID}:stateMachine:{name}"
    try:
        steps.describe_state_machine(stateMachineArn=arn)
    except steps.exceptions.StateMachineDoesNotExist:
        arn = steps.create_state_machine(name=name, type=properties.get("StateMachineType", "STANDARD"), **request)[
            "stateMachineArn"
        ]
    else:
        steps.update_state_machine(stateMachineArn=arn, **request)
    if properties.get("Tags"):
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in properties["Tags"]]
        steps.tag_resource(resourceArn=arn, tags=tags)
    return arn


def _settings(properties: Properties) -> dict[str, Any]:
    """Return LoggingConfiguration and TracingConfiguration as the API takes them."""
    settings = {}
    if "LoggingConfiguration" in properties:
        settings["loggingConfiguration"] = _in_lower_case(properties["LoggingConfiguration"])
    if "TracingConfiguration" in properties:
        settings["tracingConfiguration"] = _in_lower_case(properties["TracingConfiguration"])
    return settings


def _read(clients: Clients, arn: str, declared: Properties) -> Properties:
    steps = clients.named("stepfunctions")
    found = steps.describe_state_machine(stateMachineArn=arn)
    tags = steps.list_tags_for_resource(resourceArn=arn)["tags"]
    is_as_declared = json.loads(found["definition"]) == json.loads(definition(declared))
    written = ("Definition", "DefinitionString", "DefinitionSubstitutions")
    return {
        **{key: declared.get(key) if is_as_declared else found["definition"] for key in written},
        "LoggingConfiguration": _in_upper_case(found.get("loggingConfiguration")),
        "RoleArn": found["roleArn"],
        "StateMachineName": found["name"],
        "StateMachineType": found["type"],
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in tags],
        "TracingConfiguration": _in_upper_case(found.get("tracingConfiguration")),
    }


def _in_lower_case(value: Any) -> Any:
    """Return a tree with names as the API writes them: `level` for CloudFormation's `Level`."""
    if isinstance(value, list):
        return [_in_lower_case(member) for member in value]
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _in_lower_case(member) for name, member in value.items()}
    return value


def _in_upper_case(value: Any) -> Any:
    """Return a tree with names as CloudFormation writes them."""
    if isinstance(value, list):
        return [_in_upper_case(member) for member in value]
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _in_upper_case(member) for name, member in value.items()}
    return value


RESOURCE: Final = ResourceType(
    "AWS::StepFunctions::StateMachine",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "{ref}", "Name": "{name}", "StateMachineRevisionId": LOOKED_UP},
    look_up=lambda clients, arn: {
        "StateMachineRevisionId": clients.named("stepfunctions")
        .describe_state_machine(stateMachineArn=arn)
        .get("revisionId", "INITIAL")
    },
    name_property="StateMachineName",
    name_length=80,
    unreported=frozenset({"TracingConfiguration"}),
)
