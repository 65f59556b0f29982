"""AWS::SQS::QueuePolicy.

Source: AWS CloudFormation Template Reference, "AWS::SQS::QueuePolicy"; Amazon SQS API Reference, "SetQueueAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import Kind, Schema, document_text

PROPERTIES: Final[Mapping[str, Schema]] = {"PolicyDocument": Kind.DOCUMENT, "Queues": [Kind.TEXT]}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Put the policy on its queues. `Ref` gives a name that nothing has."""
    policy = document_text(properties["PolicyDocument"])
    for url in properties["Queues"]:
        clients.named("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return name


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    """Return the policy of its queues, and the queues that have that of the first."""
    sqs = clients.named("sqs")
    asked = {"AttributeNames": ["Policy"]}
    answers = {url: sqs.get_queue_attributes(QueueUrl=url, **asked) for url in declared["Queues"]}
    policies = {url: answer.get("Attributes", {}).get("Policy") for url, answer in answers.items()}
    policy = next(iter(policies.values()))
    return {"PolicyDocument": policy, "Queues": [url for url, found in policies.items() if found and found == policy]}


RESOURCE: Final = ResourceType(
    "AWS::SQS::QueuePolicy", PROPERTIES, create=_create, read=_read, attributes={"Id": "{ref}"}
)
