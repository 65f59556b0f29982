"""What a function's answer says of a batch of a stream's records.

Source: AWS Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda", "Success and failure
conditions".
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.aws.ministack_deliveries import stream_batches
from emulator.aws.ministack_deliveries.stream_batches import Batches, Discarded, Record, first_failure

RECORDS = [Record({"number": number}, str(number), 2e10, "key") for number in range(3)]


@pytest.mark.parametrize("answer", [None, {}, "text", [], {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_a_success(answer: Any) -> None:
    assert first_failure(answer, RECORDS) == 3


@pytest.mark.parametrize("failures", [[{"itemIdentifier": "2"}, {"itemIdentifier": "1"}], [{"itemIdentifier": "1"}]])
def test_the_first_record_that_failed_counts(failures: Any) -> None:
    assert first_failure({"batchItemFailures": failures}, RECORDS) == 1


@pytest.mark.parametrize(
    "failure", [{"itemIdentifier": ""}, {"itemIdentifier": None}, {"id": "1"}, {"itemIdentifier": "9"}, "1", {}]
)
def test_a_failure_that_names_no_record_is_one_of_all(failure: Any) -> None:
    assert first_failure({"batchItemFailures": [failure]}, RECORDS) == 0


def run(mapping: dict[str, Any], bad: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[int]], list[Discarded]]:
    """Return the batches of a function that reports the record `bad`, and what was given up."""
    monkeypatch.setattr(stream_batches, "RETRY_AFTER_SECONDS", (0.0,))
    batches: list[list[int]] = []
    given_up: list[Discarded] = []

    def invoke(events: list[Any]) -> dict[str, Any]:
        batches.append([event["number"] for event in events])
        failed = [{"itemIdentifier": str(bad)}] if bad in batches[-1] else []
        return {"body": {"batchItemFailures": failed}}

    reporting = {"FunctionResponseTypes": ["ReportBatchItemFailures"], **mapping}
    Batches(reporting, invoke, given_up.append, lambda: False, 60).run(RECORDS)
    return batches, given_up


def test_what_is_left_of_a_batch_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, (given_up,) = run({"MaximumRetryAttempts": 2}, 1, monkeypatch)
    assert batches == [[0, 1, 2], [1, 2], [1, 2]]
    assert (list(given_up.records), given_up.condition, given_up.invocations) == (
        RECORDS[1:],
        "RetryAttemptsExhausted",
        3,
    )
    assert given_up.error == ""


def test_a_batch_is_split_at_the_record_that_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, (given_up,) = run({"MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": True}, 1, monkeypatch)
    assert batches == [[0, 1, 2], [1, 2], [1], [2]]
    assert list(given_up.records) == RECORDS[1:2]
