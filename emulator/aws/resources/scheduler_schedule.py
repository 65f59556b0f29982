"""AWS::Scheduler::Schedule.

Source: AWS CloudFormation Template Reference, "AWS::Scheduler::Schedule" and its Target; Amazon EventBridge Scheduler
API Reference, "CreateSchedule", "UpdateSchedule" and "GetSchedule".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import Kind, Schema

_TARGET: Final[Mapping[str, Schema]] = {
    "Arn": Kind.TEXT,
    "DeadLetterConfig": {"Arn": Kind.TEXT},
    "EventBridgeParameters": {"DetailType": Kind.TEXT, "Source": Kind.TEXT},
    "Input": Kind.TEXT,
    "KinesisParameters": {"PartitionKey": Kind.TEXT},
    "RetryPolicy": {"MaximumEventAgeInSeconds": Kind.WHOLE, "MaximumRetryAttempts": Kind.WHOLE},
    "RoleArn": Kind.TEXT,
    "SqsParameters": {"MessageGroupId": Kind.TEXT},
}
PROPERTIES: Final[Mapping[str, Schema]] = {
    "Description": Kind.TEXT,
    "EndDate": Kind.TEXT,
    "FlexibleTimeWindow": {"MaximumWindowInMinutes": Kind.WHOLE, "Mode": Kind.TEXT},
    "GroupName": Kind.TEXT,
    "KmsKeyArn": Kind.TEXT,
    "Name": Kind.TEXT,
    "ScheduleExpression": Kind.TEXT,
    "ScheduleExpressionTimezone": Kind.TEXT,
    "StartDate": Kind.TEXT,
    "State": Kind.TEXT,
    "Target": _TARGET,
}
_DEFAULT_GROUP: Final = "default"


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the schedule, or update the one that exists. `Ref` gives its name."""
    scheduler = clients.named("scheduler")
    request = {**properties, "Name": name}
    try:
        scheduler.create_schedule(**request)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**request)
    return name


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    found = clients.named("scheduler").get_schedule(Name=name, GroupName=declared.get("GroupName", _DEFAULT_GROUP))
    dates = {key: found[key].isoformat() for key in ("EndDate", "StartDate") if found.get(key)}
    return {key: found.get(key) for key in PROPERTIES} | {key: _as_declared(declared, key, dates) for key in dates}


def _as_declared(declared: Properties, key: str, dates: Mapping[str, str]) -> str:
    """Return a date as the template writes it when both are the same second: "…Z" and "…+00:00" are one."""
    same = str(declared.get(key, "")).replace("Z", "+00:00") == dates[key]
    return str(declared[key]) if same else dates[key]


def _look_up(clients: Clients, name: str) -> Mapping[str, str]:
    """Return the ARN, which has the name of the group."""
    pages = clients.named("scheduler").get_paginator("list_schedules").paginate(NamePrefix=name)
    found = [one["Arn"] for page in pages for one in page["Schedules"] if one["Name"] == name]
    return {"Arn": found[0]} if found else {}


def _left_out(properties: Properties) -> list[str]:
    zone, expression = properties.get("ScheduleExpressionTimezone", "UTC"), properties.get("ScheduleExpression", "")
    sentences = []
    if zone != "UTC" and not expression.startswith("rate"):
        sentences.append(f"ScheduleExpressionTimezone is not followed: it fires by UTC and not by the time of {zone}")
    if "DeadLetterConfig" in properties.get("Target", {}):
        sentences.append("Target.DeadLetterConfig is not followed: what cannot be delivered is dropped")
    return sentences


RESOURCE: Final = ResourceType(
    "AWS::Scheduler::Schedule",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": LOOKED_UP},
    look_up=_look_up,
    name_property="Name",
    name_length=64,
    left_out=_left_out,
)
