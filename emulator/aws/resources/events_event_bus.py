"""AWS::Events::EventBus.

Source: AWS CloudFormation Template Reference, "AWS::Events::EventBus"; Amazon EventBridge API Reference,
"CreateEventBus", "UpdateEventBus" and "DescribeEventBus".

Policy has no mapping: MiniStack makes of a whole policy a statement that lets everybody in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, Schema

PROPERTIES: Final[Mapping[str, Schema]] = {
    "DeadLetterConfig": {"Arn": Kind.TEXT},
    "Description": Kind.TEXT,
    "KmsKeyIdentifier": Kind.TEXT,
    "Name": Kind.TEXT,
    "Tags": TAGS,
}
_AS_DECLARED: Final = ("DeadLetterConfig", "Description", "KmsKeyIdentifier")


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the bus, or update the one that exists. `Ref` gives its name."""
    events = clients.named("events")
    settings = {key: properties[key] for key in _AS_DECLARED if key in properties}
    try:
        arn = events.create_event_bus(Name=name, **settings)["EventBusArn"]
    except events.exceptions.ResourceAlreadyExistsException:
        arn = events.update_event_bus(Name=name, **settings)["Arn"]
    if properties.get("Tags"):
        events.tag_resource(ResourceARN=arn, Tags=properties["Tags"])
    return name


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    events = clients.named("events")
    found = events.describe_event_bus(Name=name)
    tags = events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]
    return {**{key: found.get(key) for key in (*_AS_DECLARED, "Name", "Policy")}, "Tags": tags}


RESOURCE: Final = ResourceType(
    "AWS::Events::EventBus",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "arn:aws:events:{region}:{account}:event-bus/{ref}", "Name": "{ref}"},
    name_property="Name",
)
