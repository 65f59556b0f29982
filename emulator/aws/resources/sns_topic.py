"""AWS::SNS::Topic.

Source: AWS CloudFormation Template Reference, "AWS::SNS::Topic"; Amazon SNS API Reference, "CreateTopic",
"SetTopicAttributes" and "GetTopicAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, Schema, attribute_texts

_ATTRIBUTES: Final[Mapping[str, Schema]] = {
    "ArchivePolicy": Kind.DOCUMENT,
    "ContentBasedDeduplication": Kind.FLAG,
    "DisplayName": Kind.TEXT,
    "FifoThroughputScope": Kind.TEXT,
    "FifoTopic": Kind.FLAG,
    "KmsMasterKeyId": Kind.TEXT,
    "SignatureVersion": Kind.TEXT,
    "TracingConfig": Kind.TEXT,
}
_FIXED: Final = frozenset({"FifoTopic"})
"""What only CreateTopic takes."""
PROPERTIES: Final[Mapping[str, Schema]] = {
    **_ATTRIBUTES,
    "Subscription": [{"Endpoint": Kind.TEXT, "Protocol": Kind.TEXT}],
    "Tags": TAGS,
    "TopicName": Kind.TEXT,
}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the topic, or set the attributes of the one that exists. `Ref` gives its ARN."""
    sns = clients.named("sns")
    attributes = attribute_texts(properties, _ATTRIBUTES)
    if properties.get("FifoTopic") and "TopicName" not in properties:
        name += ".fifo"
    fixed = {key: value for key, value in attributes.items() if key in _FIXED}
    arn: str = sns.create_topic(Name=name, Attributes=fixed)["TopicArn"]  # returns the one that exists, too
    for key, value in attributes.items():
        if key not in _FIXED:
            sns.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)
    if properties.get("Tags"):
        sns.tag_resource(ResourceArn=arn, Tags=properties["Tags"])
    for subscription in properties.get("Subscription", []):
        sns.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
    return arn


def _read(clients: Clients, arn: str, _: Properties) -> Properties:
    sns = clients.named("sns")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    return {
        **{key: attributes.get(key) for key in _ATTRIBUTES},
        "Subscription": [{"Endpoint": one["Endpoint"], "Protocol": one["Protocol"]} for one in subscriptions],
        "Tags": sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
        "TopicName": arn.rpartition(":")[2],
    }


RESOURCE: Final = ResourceType(
    "AWS::SNS::Topic",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"TopicArn": "{ref}", "TopicName": "{name}"},
    name_property="TopicName",
    name_length=250,  # and ".fifo"
)
