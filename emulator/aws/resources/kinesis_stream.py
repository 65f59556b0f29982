"""AWS::Kinesis::Stream.

Source: AWS CloudFormation Template Reference, "AWS::Kinesis::Stream"; Amazon Kinesis Data Streams API Reference,
"CreateStream", "UpdateShardCount", "UpdateStreamMode", "StartStreamEncryption" and "DescribeStreamSummary".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema, tag_mapping

PROPERTIES: Final[Mapping[str, Schema]] = {
    "Name": Kind.TEXT,
    "RetentionPeriodHours": Kind.WHOLE,
    "ShardCount": Kind.WHOLE,
    "StreamEncryption": {"EncryptionType": Kind.TEXT, "KeyId": Kind.TEXT},
    "StreamModeDetails": {"StreamMode": Kind.TEXT},
    "Tags": TAGS,
}
_ACTIVE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.02


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the stream, or bring the one that exists to what is declared. `Ref` gives its name."""
    kinesis = clients.named("kinesis")
    mode = properties.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
    shards = {} if mode["StreamMode"] == "ON_DEMAND" else {"ShardCount": properties.get("ShardCount", 1)}
    try:
        kinesis.create_stream(StreamName=name, StreamModeDetails=mode, **shards)
    except kinesis.exceptions.ResourceInUseException:
        _update(clients, name, mode, shards)
    described = _active(clients, name)
    wanted = properties.get("RetentionPeriodHours", 24)
    if wanted > described["RetentionPeriodHours"]:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=wanted)
    elif wanted < described["RetentionPeriodHours"]:
        kinesis.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=wanted)
    if "StreamEncryption" in properties:
        kinesis.start_stream_encryption(StreamName=name, **properties["StreamEncryption"])
    if properties.get("Tags"):
        kinesis.add_tags_to_stream(StreamName=name, Tags=tag_mapping(properties["Tags"]))
    return name


def _update(clients: Clients, name: str, mode: Mapping[str, str], shards: Mapping[str, int]) -> None:
    kinesis, there = clients.named("kinesis"), _active(clients, name)
    if there.get("StreamModeDetails", mode) != mode:
        kinesis.update_stream_mode(StreamARN=there["StreamARN"], StreamModeDetails=mode)
    if shards and shards["ShardCount"] != there["OpenShardCount"]:
        kinesis.update_shard_count(
            StreamName=name, TargetShardCount=shards["ShardCount"], ScalingType="UNIFORM_SCALING"
        )


def _active(clients: Clients, name: str) -> Mapping[str, Any]:
    """Return the stream's description once it can be used (boto3's own waiter sleeps ten seconds)."""
    deadline = time.monotonic() + _ACTIVE_SECONDS
    while True:
        asked = clients.named("kinesis").describe_stream_summary(StreamName=name)
        described: Mapping[str, Any] = asked["StreamDescriptionSummary"]
        if described["StreamStatus"] == "ACTIVE":
            return described
        if time.monotonic() > deadline:
            raise PropertyError(f"the stream did not become active within {_ACTIVE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    kinesis = clients.named("kinesis")
    found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    return {
        "Name": found["StreamName"],
        "RetentionPeriodHours": found["RetentionPeriodHours"],
        "ShardCount": found["OpenShardCount"],
        "StreamEncryption": {"EncryptionType": found.get("EncryptionType"), "KeyId": found.get("KeyId")},
        "StreamModeDetails": found.get("StreamModeDetails"),
        "Tags": kinesis.list_tags_for_stream(StreamName=name)["Tags"],
    }


RESOURCE: Final = ResourceType(
    "AWS::Kinesis::Stream",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": "arn:aws:kinesis:{region}:{account}:stream/{ref}"},
    name_property="Name",
    name_length=128,
)
