"""What is sent to a mapping's destination about records that were given up: where they are, not what they say.

Source: AWS Lambda Developer Guide, "Retain discarded records for a DynamoDB event source" and "Retain discarded batch
records for a Kinesis Data Streams event source" (the example records).
"""

from __future__ import annotations

import importlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .forwarding import logger
from .stream_batches import Discarded

_BATCH_INFO = {"dynamodb": "DDBStreamBatchInfo", "kinesis": "KinesisBatchInfo"}


def send_failure_record(mapping: Mapping[str, Any], shard: str, version: str, discarded: Discarded) -> None:
    """Send the record to the mapping's destination for failures, if it has one: a queue or a topic."""
    sequence = [record.sequence_number for record in discarded.records]
    logger.warning("%s drops %s to %s (%s)", mapping["UUID"], sequence[0], sequence[-1], discarded.condition)
    target = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination") or ""
    if not target:
        return
    body = json.dumps(failure_record(mapping, shard, version, discarded))
    service = target.split(":")[2]
    endpoint: Any = importlib.import_module(f"ministack.services.{service}")
    if service == "sqs":
        queue = endpoint._queue_by_arn(target)  # noqa: SLF001 (no public way)
        if queue is None:
            logger.warning("There is no queue %s for a failure record", target)
            return
        endpoint._act_send_message({"QueueUrl": queue["url"], "MessageBody": body}, "")  # noqa: SLF001
    else:
        endpoint._fanout(target, str(uuid.uuid4()), body, "")  # noqa: SLF001


def failure_record(mapping: Mapping[str, Any], shard: str, version: str, discarded: Discarded) -> dict[str, Any]:
    """Return the record: `version` is the function's that ran."""
    source = mapping["EventSourceArn"]
    service = source.split(":")[2]
    precision = "milliseconds" if service == "kinesis" else "seconds"
    first, last = discarded.records[0], discarded.records[-1]
    error = {"functionError": discarded.error} if discarded.error else {}
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping["FunctionArn"],
            "condition": discarded.condition,
            "approximateInvokeCount": discarded.invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": version, **error},
        "version": "1.0",
        "timestamp": _time(datetime.now(UTC).timestamp(), "milliseconds"),
        _BATCH_INFO[service]: {
            "shardId": shard,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": _time(first.arrived, precision),
            "approximateArrivalOfLastRecord": _time(last.arrived, precision),
            "batchSize": len(discarded.records),
            "streamArn": source,
        },
    }


def _time(seconds: float, precision: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
