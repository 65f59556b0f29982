"""AWS::SNS::Subscription.

Source: AWS CloudFormation Template Reference, "AWS::SNS::Subscription"; Amazon SNS API Reference, "Subscribe",
"ListSubscriptionsByTopic" and "GetSubscriptionAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, Schema, attribute_texts

_ATTRIBUTES: Final[Mapping[str, Schema]] = {
    "DeliveryPolicy": Kind.DOCUMENT,
    "FilterPolicy": Kind.DOCUMENT,
    "FilterPolicyScope": Kind.TEXT,
    "RawMessageDelivery": Kind.FLAG,
    "RedrivePolicy": Kind.DOCUMENT,
    "SubscriptionRoleArn": Kind.TEXT,
}
PROPERTIES: Final[Mapping[str, Schema]] = {
    **_ATTRIBUTES,
    "Endpoint": Kind.TEXT,
    "Protocol": Kind.TEXT,
    "Region": Kind.TEXT,
    "TopicArn": Kind.TEXT,
}
_DELIVERED: Final = frozenset({"sqs", "lambda", "http", "https"})


def _create(clients: Clients, _: str, properties: Properties) -> str:
    """Subscribe, or set the attributes of the subscription that exists. `Ref` gives its ARN."""
    sns = clients.named("sns")
    attributes = attribute_texts(properties, _ATTRIBUTES)
    arn: str = sns.subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    for key, value in attributes.items() if arn.startswith("arn:") else ():
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=key, AttributeValue=value)
    return arn


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    """Return what the topic has for the endpoint: before it is confirmed, SNS tells no ARN of a subscription."""
    sns = clients.named("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=declared["TopicArn"])
    listed = [one for page in pages for one in page["Subscriptions"]]
    found: Mapping[str, Any] = next((one for one in listed if one["Endpoint"] == declared.get("Endpoint")), {})
    arn = found.get("SubscriptionArn", "")
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] if arn.startswith("arn:") else {}
    return {
        **{key: attributes.get(key) for key in _ATTRIBUTES},
        **{key: found.get(key) for key in ("Endpoint", "Protocol", "TopicArn")},
        "Region": declared.get("Region") if found else None,  # where the topic is, which its ARN says
    }


def _left_out(properties: Properties) -> Sequence[str]:
    protocol = properties.get("Protocol")
    if protocol not in _DELIVERED:
        return (f"nothing is sent by {protocol}",)
    is_redriven = "RedrivePolicy" in properties
    return ("RedrivePolicy is not followed: what cannot be delivered is dropped",) if is_redriven else ()


RESOURCE: Final = ResourceType("AWS::SNS::Subscription", PROPERTIES, create=_create, read=_read, left_out=_left_out)
