"""AWS::Lambda::EventSourceMapping.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::EventSourceMapping"; AWS Lambda API Reference,
"CreateEventSourceMapping", "UpdateEventSourceMapping" and "GetEventSourceMapping".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType, service_of
from emulator.aws.schema import TAGS, Kind, Schema, tag_list, tag_mapping

PROPERTIES: Final[Mapping[str, Schema]] = {
    "BatchSize": Kind.WHOLE,
    "BisectBatchOnFunctionError": Kind.FLAG,
    "DestinationConfig": {"OnFailure": {"Destination": Kind.TEXT}},
    "Enabled": Kind.FLAG,
    "EventSourceArn": Kind.TEXT,
    "FilterCriteria": {"Filters": [{"Pattern": Kind.TEXT}]},
    "FunctionName": Kind.TEXT,
    "FunctionResponseTypes": [Kind.TEXT],
    "MaximumBatchingWindowInSeconds": Kind.WHOLE,
    "MaximumRecordAgeInSeconds": Kind.WHOLE,
    "MaximumRetryAttempts": Kind.WHOLE,
    "ParallelizationFactor": Kind.WHOLE,
    "ScalingConfig": {"MaximumConcurrency": Kind.WHOLE},
    "StartingPosition": Kind.TEXT,
    "Tags": TAGS,
}
_FIXED: Final = frozenset({"EventSourceArn", "StartingPosition", "Tags"})
"""What UpdateEventSourceMapping does not take."""
_DESTINATIONS: Final = frozenset({"sqs", "sns"})
"""The services that take what is said of records that were given up."""
_NAMES: Final = {"": "a Kafka of one's own", "kafka": "Amazon MSK", "mq": "Amazon MQ", "rds": "Amazon DocumentDB"}
"""What the services of ARNs are called, where their names say little."""


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the mapping, or update the one that is there for the same source and function. `Ref` gives its id."""
    if not _is_read(properties):
        return name
    functions = clients.named("lambda")
    request = {**properties, **({"Tags": tag_mapping(properties["Tags"])} if "Tags" in properties else {})}
    found = functions.list_event_source_mappings(
        EventSourceArn=properties["EventSourceArn"], FunctionName=properties["FunctionName"]
    )["EventSourceMappings"]
    if found:
        changed = {key: value for key, value in request.items() if key not in _FIXED}
        return str(functions.update_event_source_mapping(UUID=found[0]["UUID"], **changed)["UUID"])
    return str(functions.create_event_source_mapping(**request)["UUID"])


def _read(clients: Clients, uuid: str, declared: Properties) -> Properties:
    functions = clients.named("lambda")
    found: Mapping[str, Any] = functions.get_event_source_mapping(UUID=uuid)
    function = str(declared.get("FunctionName", ""))
    arn = found.get("FunctionArn", "")
    is_here = arn == function or arn.endswith(f":function:{function}")  # a template may give the name or the ARN
    return {
        **{key: found.get(key) for key in PROPERTIES},
        "Enabled": found.get("State") in ("Enabled", "Enabling", "Creating", "Updating"),
        "FunctionName": function if is_here else arn,
        "Tags": tag_list(functions.list_tags(Resource=found["EventSourceMappingArn"]).get("Tags", {})),
    }


def _left_out(properties: Properties) -> Sequence[str]:
    if not _is_read(properties):
        return (f"nothing is read from {_NAMES.get(source := _source(properties), source)}",)
    sentences = []
    if _source(properties) == "sqs":
        if properties.get("MaximumBatchingWindowInSeconds"):
            sentences.append(
                "MaximumBatchingWindowInSeconds is not followed: a batch is what is there when the queue is read"
            )
        return sentences
    target = str(properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", ""))
    if target and service_of(target) not in _DESTINATIONS:
        sentences.append(f"nothing is sent to {target}: only queues and topics get what is said of records given up")
    if properties.get("StartingPosition") == "AT_TIMESTAMP":
        sentences.append("StartingPosition AT_TIMESTAMP is not followed: it is read as LATEST")
    return sentences


def _is_read(properties: Properties) -> bool:
    """Tell whether MiniStack reads the source of a mapping."""
    return _source(properties) in ("sqs", "dynamodb", "kinesis")


def _source(properties: Properties) -> str:
    """Return the service of the source's ARN, "" without one."""
    return service_of(str(properties.get("EventSourceArn", "")))


RESOURCE: Final = ResourceType(
    "AWS::Lambda::EventSourceMapping",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={
        "EventSourceMappingArn": "arn:aws:lambda:{region}:{account}:event-source-mapping:{ref}",
        "Id": "{ref}",
    },
    left_out=_left_out,
)
