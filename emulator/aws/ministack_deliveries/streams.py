"""Streams of DynamoDB and Kinesis, read for event source mappings: the order within a shard holds.

A shard has as many lanes as the mapping's ParallelizationFactor says. Records of one key go to one lane, which runs one
batch at a time, so that a batch that fails blocks its lane alone. What is read ahead is bounded by what the lanes take.

Source: AWS Lambda Developer Guide, "Polling and batching streams" of DynamoDB and of Kinesis.
"""

from __future__ import annotations

import contextvars
import importlib
import threading
import time
import zlib
from collections.abc import Sequence
from typing import Any

from .failure_records import send_failure_record
from .forwarding import logger
from .shards import KinesisStream, TableStream
from .stream_batches import Batches, Discarded, Record

_BATCH_SIZE = 100


class _Lane:
    def __init__(self) -> None:
        self.waiting: list[Record] = []
        self.since = 0.0
        self.running = 0


class _Shard:
    """What is read of one shard for one mapping."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.factor = 0
        self.lanes: dict[int, _Lane] = {}

    def count(self) -> int:
        """Return how many records are read and not done with."""
        return sum(len(lane.waiting) + lane.running for lane in self.lanes.values())

    def has_lanes(self, factor: int) -> bool:
        """Have `factor` lanes. Returns whether it does: keys change their lanes when no batch runs."""
        if factor != self.factor and not any(lane.running for lane in self.lanes.values()):
            waiting = [record for lane in self.lanes.values() for record in lane.waiting]
            self.factor, self.lanes = factor, {}
            self.take(waiting)
        return factor == self.factor

    def take(self, records: Sequence[Record]) -> None:
        """Put records into their lanes."""
        for record in records:
            lane = self.lanes.setdefault(zlib.crc32(record.key.encode()) % self.factor, _Lane())
            if not lane.waiting:
                lane.since = time.monotonic()
            lane.waiting.append(record)


class _Pollers:
    """Reads the streams of all mappings, one pass at a time, in MiniStack's poller thread."""

    def __init__(self, lambda_svc: Any) -> None:
        self._lambda = lambda_svc
        self._shards: dict[str, dict[str, _Shard]] = {}

    def poll(self) -> bool:
        """Read what is new and run it, off this thread. Returns whether anything was read or begun."""
        service, has_work = self._lambda, False
        mappings = list(service._iter_all_esms())  # noqa: SLF001 (here and below: no public way)
        known = {mapping["UUID"] for _, _, mapping in mappings}
        for gone in self._shards.keys() - known:
            del self._shards[gone]
        for account, region, mapping in mappings:
            context = contextvars.copy_context()
            context.run(service._request_account_id.set, account)  # noqa: SLF001
            context.run(service._request_region.set, region)  # noqa: SLF001
            try:
                has_work = context.run(self._poll_mapping, mapping) or has_work
            except Exception:
                logger.exception("The stream %s could not be read", mapping.get("EventSourceArn"))
        return has_work

    def _poll_mapping(self, mapping: dict[str, Any]) -> bool:
        service = self._lambda
        function, _ = service._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))  # noqa: SLF001
        if function is None or not mapping.get("Enabled", True):
            return False
        source = self._source(mapping, function)
        if source is None:
            return False
        has_work, size = False, mapping.get("BatchSize") or _BATCH_SIZE
        lanes = mapping.get("ParallelizationFactor") or 1
        for name, parents in source.shards().items():
            shard = self._shard(mapping, source, name)
            if any(self._is_unread(mapping, source, parent) for parent in parents) or not shard.has_lanes(lanes):
                continue
            records, shard.position = source.read(name, shard.position, max(0, size * lanes - shard.count()))
            events = [record.event for record in records]
            wanted = {id(event) for event in service._apply_filter_criteria(events, mapping)}  # noqa: SLF001
            shard.take([record for record in records if id(record.event) in wanted])
            begun = [self._begin(mapping, function, source, name, lane, size) for lane in list(shard.lanes.values())]
            has_work = has_work or bool(records) or any(begun)
        return has_work

    def _source(self, mapping: dict[str, Any], function: dict[str, Any]) -> TableStream | KinesisStream | None:
        """Return the mapping's stream, None while there is none."""
        service, arn = self._lambda, mapping.get("EventSourceArn", "")
        kind = "".join(arn.split(":")[2:3])
        if kind == "dynamodb":
            dynamodb: Any = importlib.import_module("ministack.services.dynamodb")
            name = arn.partition("/")[2].partition("/")[0]
            table = dynamodb._tables.get(name)  # noqa: SLF001
            return TableStream(name) if table and table.get("LatestStreamArn") == arn else None
        if kind != "kinesis":
            return None
        kinesis: Any = importlib.import_module("ministack.services.kinesis")
        _, _, _, region, account, path = arn.split(":", 5)
        stream = kinesis._streams.get_scoped(account, region, path.partition("/")[2])  # noqa: SLF001
        if not stream or stream["StreamARN"] != arn or stream["StreamStatus"] != "ACTIVE":
            return None
        is_foreign = account != service.get_account_id()
        if is_foreign and service._cross_account_read_blocked(arn, function, mapping["FunctionName"]):  # noqa: SLF001
            return None
        return KinesisStream(stream, arn, (function.get("config") or function).get("Role", ""))

    def _shard(self, mapping: dict[str, Any], source: TableStream | KinesisStream, name: str) -> _Shard:
        uuid, arn = mapping["UUID"], mapping["EventSourceArn"]
        is_first_pass = uuid not in self._shards
        if is_first_pass:
            from_start = mapping.get("StartingPosition") == "TRIM_HORIZON"
            kept = self._lambda._dynamodb_stream_positions.get(uuid) if ":dynamodb:" in arn else None  # noqa: SLF001
            self._shards[uuid] = {
                one: _Shard(kept if kept is not None else 0 if from_start else source.end(one))
                for one in source.shards()
            }
        return self._shards[uuid].setdefault(name, _Shard(0))  # a child of a shard is read from its beginning

    def _is_unread(self, mapping: dict[str, Any], source: TableStream | KinesisStream, name: str) -> bool:
        shard = self._shard(mapping, source, name)
        return bool(shard.count() or source.read(name, shard.position, 1)[0])

    def _begin(
        self,
        mapping: dict[str, Any],
        function: dict[str, Any],
        source: TableStream | KinesisStream,
        shard: str,
        lane: _Lane,
        size: int,
    ) -> bool:
        """Run the lane's next batch in a thread, if there is one and none runs."""
        window = mapping.get("MaximumBatchingWindowInSeconds") or 0
        is_due = len(lane.waiting) >= size or time.monotonic() >= lane.since + window
        if lane.running or not lane.waiting or not is_due:
            return False
        service = self._lambda
        batch, lane.waiting = lane.waiting[:size], lane.waiting[size:]
        lane.since, lane.running = time.monotonic(), len(batch)
        version = str((function.get("config") or function).get("Version", "$LATEST"))

        def invoke(events: list[Any]) -> Any:
            name, qualifier = mapping["FunctionName"], mapping.get("Qualifier")
            now, _ = service._get_func_record_for_qualifier(name, qualifier)  # noqa: SLF001
            return service._execute_function(now or function, {"Records": events})  # noqa: SLF001

        def discard(discarded: Discarded) -> None:
            send_failure_record(mapping, shard, version, discarded)

        def is_deleted() -> bool:
            return mapping["UUID"] not in service._esms  # noqa: SLF001

        def run() -> None:
            try:
                Batches(mapping, invoke, discard, is_deleted, source.retention).run(batch)
            except Exception:
                logger.exception("A batch of %s is lost", mapping["EventSourceArn"])
            finally:
                lane.running = 0
                service._esm_wake.set()  # noqa: SLF001

        threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()
        return True


def change_pollers(lambda_svc: Any) -> None:
    """Have MiniStack's poller thread read streams in this way."""
    _ = lambda_svc._poll_kinesis, lambda_svc._poll_dynamodb_streams  # noqa: SLF001 (that they are there)
    lambda_svc._poll_kinesis = _Pollers(lambda_svc).poll  # noqa: SLF001
    lambda_svc._poll_dynamodb_streams = lambda: False  # noqa: SLF001
