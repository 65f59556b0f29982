"""AWS::SQS::Queue.

Source: AWS CloudFormation Template Reference, "AWS::SQS::Queue"; Amazon SQS API Reference, "CreateQueue",
"SetQueueAttributes" and "GetQueueAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, Schema, attribute_texts, tag_list, tag_mapping

_ATTRIBUTES: Final[Mapping[str, Schema]] = {
    "ContentBasedDeduplication": Kind.FLAG,
    "DeduplicationScope": Kind.TEXT,
    "DelaySeconds": Kind.WHOLE,
    "FifoQueue": Kind.FLAG,
    "FifoThroughputLimit": Kind.TEXT,
    "KmsDataKeyReusePeriodSeconds": Kind.WHOLE,
    "KmsMasterKeyId": Kind.TEXT,
    "MaximumMessageSize": Kind.WHOLE,
    "MessageRetentionPeriod": Kind.WHOLE,
    "ReceiveMessageWaitTimeSeconds": Kind.WHOLE,
    "RedriveAllowPolicy": Kind.DOCUMENT,
    "RedrivePolicy": Kind.DOCUMENT,
    "SqsManagedSseEnabled": Kind.FLAG,
    "VisibilityTimeout": Kind.WHOLE,
}
PROPERTIES: Final[Mapping[str, Schema]] = {**_ATTRIBUTES, "QueueName": Kind.TEXT, "Tags": TAGS}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the queue, or set the attributes of the one that exists. `Ref` gives its URL."""
    sqs = clients.named("sqs")
    attributes = attribute_texts(properties, _ATTRIBUTES)
    if properties.get("FifoQueue") and not name.endswith(".fifo"):
        name += ".fifo"
    if attributes.get("FifoQueue") == "false":
        del attributes["FifoQueue"]  # the API takes no other value than true
    try:
        url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    else:
        changed = {key: value for key, value in attributes.items() if key != "FifoQueue"}
        if changed:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
    if properties.get("Tags"):
        sqs.tag_queue(QueueUrl=url, Tags=tag_mapping(properties["Tags"]))
    return url


def _read(clients: Clients, url: str, declared: Properties) -> Properties:
    sqs = clients.named("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    is_fifo = attributes.get("FifoQueue", "false") if "FifoQueue" in declared else None
    return {
        **{key: attributes.get(key) for key in _ATTRIBUTES},
        "FifoQueue": is_fifo,
        "QueueName": attributes["QueueArn"].rpartition(":")[2],
        "Tags": tag_list(sqs.list_queue_tags(QueueUrl=url).get("Tags", {})),
    }


RESOURCE: Final = ResourceType(
    "AWS::SQS::Queue",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "arn:aws:sqs:{region}:{account}:{name}", "QueueName": "{name}", "QueueUrl": "{ref}"},
    name_property="QueueName",
    name_length=75,  # and ".fifo"
)
