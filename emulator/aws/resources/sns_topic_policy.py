"""AWS::SNS::TopicPolicy.

Source: AWS CloudFormation Template Reference, "AWS::SNS::TopicPolicy"; Amazon SNS API Reference, "SetTopicAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, Schema, document_text

PROPERTIES: Final[Mapping[str, Schema]] = {"PolicyDocument": Kind.DOCUMENT, "Topics": [Kind.TEXT]}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Put the policy on its topics. `Ref` gives a name that nothing has."""
    policy = document_text(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        clients.named("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return name


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    """Return the policy of its topics, and the topics that have that of the first."""
    sns = clients.named("sns")
    policies = {arn: sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy") for arn in declared["Topics"]}
    policy = next(iter(policies.values()))
    return {"PolicyDocument": policy, "Topics": [arn for arn, found in policies.items() if found and found == policy]}


RESOURCE: Final = ResourceType(
    "AWS::SNS::TopicPolicy", PROPERTIES, create=_create, read=_read, attributes={"Id": "{ref}"}
)
