"""One batch of a stream's records, invoked until it succeeds or is given up.

Source: AWS Lambda Developer Guide, "Process Amazon DynamoDB records with Lambda" and "Process Amazon Kinesis Data
Streams records with Lambda": "Polling and batching streams", "Configuring partial batch response" and "Retain
discarded records" (a batch that is split uses up no retry).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RETRY_AFTER_SECONDS = (0.25, 0.5, 1.0, 2.0, 5.0)
"""How long a batch waits before it is tried again, longer each time."""
NOT_INVOKED = "Runtime.Unreachable"
"""The type of an error of the emulator, not of the function: it uses up no retry."""


@dataclass(frozen=True)
class Record:
    """`event` is what the function gets, `arrived` is in seconds since 1970, `key` keeps its records in order."""

    event: Mapping[str, Any]
    sequence_number: str
    arrived: float
    key: str


@dataclass(frozen=True)
class Discarded:
    """Records that no function gets any more: `error` is the last one of the function, "" when it had none."""

    records: Sequence[Record]
    condition: str
    invocations: int
    error: str


@dataclass
class _Batch:
    records: Sequence[Record]
    retries: int = 0
    invocations: int = 0
    error: str = ""


class Batches:
    """Runs batches by the settings of `mapping` (CreateEventSourceMapping), read anew before each attempt.

    `invoke` gets a batch's events and returns what MiniStack's executors return. `discard` gets what is given up.
    `retention` is how long the stream keeps a record, in seconds. Once `is_deleted()`, nothing is run.
    """

    def __init__(
        self,
        mapping: dict[str, Any],
        invoke: Callable[[list[Mapping[str, Any]]], Mapping[str, Any]],
        discard: Callable[[Discarded], None],
        is_deleted: Callable[[], bool],
        retention: float,
    ) -> None:
        self._mapping = mapping
        self._invoke = invoke
        self._discard = discard
        self._is_deleted = is_deleted
        self._retention = retention

    def run(self, records: Sequence[Record]) -> None:
        """Run the batch to its end; what it is split into runs in the order of the records."""
        left = [_Batch(records)]
        while left and not self._is_deleted():
            if not self._mapping.get("Enabled", True):
                time.sleep(RETRY_AFTER_SECONDS[0])
                continue
            batch = left.pop()
            self._drop_expired(batch)
            if batch.records:
                left += reversed(self._attempt(batch))

    def _drop_expired(self, batch: _Batch) -> None:
        longest = self._mapping.get("MaximumRecordAgeInSeconds") or -1
        age = min(longest, self._retention) if longest > 0 else self._retention
        oldest = time.time() - age
        expired = [record for record in batch.records if record.arrived < oldest]
        if expired:
            batch.records = [record for record in batch.records if record.arrived >= oldest]
            self._discard(Discarded(expired, "RecordAgeExceeded", batch.invocations, batch.error))

    def _attempt(self, batch: _Batch) -> list[_Batch]:
        """Invoke the function once. Returns what is left to do, in order."""
        result = self._invoke([record.event for record in batch.records])
        body = result.get("body")
        if result.get("error") and isinstance(body, Mapping) and body.get("errorType") == NOT_INVOKED:
            time.sleep(RETRY_AFTER_SECONDS[-2])
            return [batch]
        batch.invocations += 1
        batch.error = str(result.get("function_error") or "Unhandled") if result.get("error") else ""
        reports = "ReportBatchItemFailures" in (self._mapping.get("FunctionResponseTypes") or [])
        succeeded = 0 if batch.error else len(batch.records)
        first = first_failure(body, batch.records) if reports and not batch.error else succeeded
        self._mapping["LastProcessingResult"] = "OK" if first == len(batch.records) else "PROBLEM: Function call failed"
        failed = batch.records[first:]
        return self._again(batch, failed, has_progress=first > 0) if failed else []

    def _again(self, batch: _Batch, failed: Sequence[Record], *, has_progress: bool) -> list[_Batch]:
        if self._mapping.get("BisectBatchOnFunctionError") and (has_progress or len(failed) > 1):
            middle = 0 if has_progress else len(failed) // 2
            parts = [part for part in (failed[:middle], failed[middle:]) if part]
            return [_Batch(part, batch.retries, batch.invocations, batch.error) for part in parts]
        most = self._mapping.get("MaximumRetryAttempts")
        if most is not None and 0 <= most <= batch.retries:
            self._discard(Discarded(failed, "RetryAttemptsExhausted", batch.invocations, batch.error))
            return []
        time.sleep(RETRY_AFTER_SECONDS[min(batch.retries, len(RETRY_AFTER_SECONDS) - 1)])
        return [_Batch(failed, batch.retries + 1, batch.invocations, batch.error)]


def first_failure(answer: Any, records: Sequence[Record]) -> int:
    """Return the index of the first record that `answer` reports as failed; their number when all succeeded.

    An answer without failures is a success. One whose identifiers cannot be read, or are of no record, is a failure of
    all ("Configuring partial batch response", "Success and failure conditions").
    """
    reported = answer.get("batchItemFailures") if isinstance(answer, Mapping) else None
    if not reported:
        return len(records)
    indexes = {record.sequence_number: index for index, record in enumerate(records)}
    try:
        return min(indexes[one["itemIdentifier"]] for one in reported)
    except (KeyError, TypeError):
        return 0
