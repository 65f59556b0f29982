"""The records of a table's stream and of a Kinesis stream, as MiniStack keeps them, in the form that functions get.

Source: AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB" and "… with Amazon Kinesis" (the events);
Amazon Kinesis Data Streams Developer Guide, "Resharding" (parents are read before their children).
"""

from __future__ import annotations

import base64
import bisect
import importlib
import json
from collections.abc import Sequence
from typing import Any

from .stream_batches import Record

_TABLE_SHARD = "shardId-00000000000000000000-00000000"
_TABLE_RETENTION_SECONDS = 24 * 60 * 60
_HOUR_SECONDS = 60 * 60


class TableStream:
    """The stream of the table `name`. A position is that of MiniStack: how many records there were before."""

    retention = _TABLE_RETENTION_SECONDS

    def __init__(self, name: str) -> None:
        self._table = name
        self._dynamodb: Any = importlib.import_module("ministack.services.dynamodb")

    def shards(self) -> dict[str, list[str]]:
        """Return the shards with their parents."""
        return {_TABLE_SHARD: []}

    def end(self, _: str) -> int:
        """Return the position after the last record."""
        return int(self._dynamodb.stream_end_position(self._table))

    def read(self, _: str, position: int, most: int) -> tuple[Sequence[Record], int]:
        """Return at most `most` records from `position` on, and the position after them."""
        start = max(position, self._dynamodb.stream_start_position(self._table))
        found = self._dynamodb.stream_records_since(self._table, start, most)
        records = []
        for event in found:
            change = event["dynamodb"]
            key = json.dumps(change["Keys"], sort_keys=True)
            records.append(Record(event, change["SequenceNumber"], change["ApproximateCreationDateTime"], key))
        return records, start + len(found)


class KinesisStream:
    """A Kinesis stream. A position is the sequence number of the last record that was read."""

    def __init__(self, stream: dict[str, Any], arn: str, role: str) -> None:
        self.retention = stream["RetentionPeriodHours"] * _HOUR_SECONDS
        self._shards = stream["shards"]
        self._arn = arn
        self._role = role

    def shards(self) -> dict[str, list[str]]:
        """Return the shards with their parents."""
        parents = ("parent_shard_id", "adjacent_parent_shard_id")
        return {
            name: [shard[one] for one in parents if shard.get(one) in self._shards]
            for name, shard in list(self._shards.items())
        }

    def end(self, shard: str) -> int:
        """Return the position after the last record."""
        records = self._shards[shard]["records"]
        return int(records[-1]["SequenceNumber"]) if records else 0

    def read(self, shard: str, position: int, most: int) -> tuple[Sequence[Record], int]:
        """Return at most `most` records after `position`, and the position after them."""
        records = self._shards[shard]["records"]
        start = bisect.bisect_right(records, position, key=lambda record: int(record["SequenceNumber"]))
        found = [self._record(shard, one) for one in records[start : start + most]]
        return found, int(found[-1].sequence_number) if found else position

    def _record(self, shard: str, record: dict[str, Any]) -> Record:
        number, arrived = record["SequenceNumber"], record["ApproximateArrivalTimestamp"]
        event = {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": number,
                "data": _base64(record["Data"]),
                "approximateArrivalTimestamp": arrived,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role,
            "awsRegion": self._arn.split(":")[3],
            "eventSourceARN": self._arn,
        }
        return Record(event, number, arrived, record["PartitionKey"])


def _base64(data: Any) -> str:
    """Return data as events carry it: MiniStack keeps text that is base64 already as it came."""
    if isinstance(data, str):
        try:
            base64.b64decode(data, validate=True)
        except ValueError:
            data = data.encode()
        else:
            return data
    return base64.b64encode(data).decode("ascii")
