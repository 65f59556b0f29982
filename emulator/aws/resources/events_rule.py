"""AWS::Events::Rule.

Source: AWS CloudFormation Template Reference, "AWS::Events::Rule" and its Target; Amazon EventBridge API Reference,
"PutRule", "PutTargets", "DescribeRule" and "ListTargetsByRule".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema, document_text

_TARGET: Final[Mapping[str, Schema]] = {
    "Arn": Kind.TEXT,
    "DeadLetterConfig": {"Arn": Kind.TEXT},
    "HttpParameters": {
        "HeaderParameters": Kind.DOCUMENT,
        "PathParameterValues": [Kind.TEXT],
        "QueryStringParameters": Kind.DOCUMENT,
    },
    "Id": Kind.TEXT,
    "Input": Kind.TEXT,
    "InputPath": Kind.TEXT,
    "InputTransformer": {"InputPathsMap": Kind.DOCUMENT, "InputTemplate": Kind.TEXT},
    "KinesisParameters": {"PartitionKeyPath": Kind.TEXT},
    "RetryPolicy": {"MaximumEventAgeInSeconds": Kind.WHOLE, "MaximumRetryAttempts": Kind.WHOLE},
    "RoleArn": Kind.TEXT,
    "SqsParameters": {"MessageGroupId": Kind.TEXT},
}
PROPERTIES: Final[Mapping[str, Schema]] = {
    "Description": Kind.TEXT,
    "EventBusName": Kind.TEXT,
    "EventPattern": Kind.DOCUMENT,
    "Name": Kind.TEXT,
    "RoleArn": Kind.TEXT,
    "ScheduleExpression": Kind.TEXT,
    "State": Kind.TEXT,
    "Tags": TAGS,
    "Targets": [_TARGET],
}
_AS_DECLARED: Final = ("Description", "EventBusName", "RoleArn", "ScheduleExpression", "State")
_DEFAULT_BUS: Final = "default"


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Put the rule and its targets. `Ref` gives its name, after that of its bus unless that is the default one."""
    events = clients.named("events")
    request = {key: properties[key] for key in _AS_DECLARED if key in properties}
    if "EventPattern" in properties:
        request["EventPattern"] = document_text(properties["EventPattern"])
    bus = _bus_name(properties)
    arn = events.put_rule(Name=name, **request)["RuleArn"]
    targets = properties.get("Targets", [])
    present = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    stale = sorted({target["Id"] for target in present} - {target["Id"] for target in targets})
    if stale:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=stale)
    if targets:
        failed = events.put_targets(Rule=name, EventBusName=bus, Targets=targets)["FailedEntries"]
        if failed:
            raise PropertyError(f"Targets: {failed[0]['TargetId']} is refused ({failed[0].get('ErrorMessage', '')})")
    if properties.get("Tags"):
        events.tag_resource(ResourceARN=arn, Tags=properties["Tags"])
    return name if bus == _DEFAULT_BUS else f"{bus}|{name}"


def _read(clients: Clients, ref: str, declared: Properties) -> Properties:
    events = clients.named("events")
    found = _describe(clients, ref)
    bus = found.get("EventBusName", _DEFAULT_BUS)
    targets = events.list_targets_by_rule(Rule=found["Name"], EventBusName=bus)["Targets"]
    named = declared.get("EventBusName", bus)
    return {
        **{
            key: found.get(key)
            for key in ("Description", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State")
        },
        "EventBusName": named if named.rpartition("/")[2] == bus else bus,  # a template may give the name or the ARN
        "Tags": events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"],
        "Targets": targets,
    }


def _describe(clients: Clients, ref: str) -> Mapping[str, Any]:
    bus, _, name = ref.rpartition("|")
    found: Mapping[str, Any] = clients.named("events").describe_rule(Name=name, EventBusName=bus or _DEFAULT_BUS)
    return found


def _bus_name(properties: Properties) -> str:
    return str(properties.get("EventBusName", _DEFAULT_BUS)).rpartition("/")[2]


def _left_out(properties: Properties) -> list[str]:
    targets = [target["Id"] for target in properties.get("Targets", []) if "DeadLetterConfig" in target]
    sentence = "DeadLetterConfig is not followed: what cannot be delivered is dropped"
    return [f"{sentence} ({', '.join(targets)})"] if targets else []


RESOURCE: Final = ResourceType(
    "AWS::Events::Rule",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": LOOKED_UP},
    look_up=lambda clients, ref: {"Arn": _describe(clients, ref)["Arn"]},
    name_property="Name",
    name_length=64,
    left_out=_left_out,
)
