"""What becomes of the records of a stream when a function fails: each setting of a mapping has its effect.

Source: AWS Lambda Developer Guide, "Polling and batching streams", "Configuring partial batch response" and "Retain
discarded records", of Amazon DynamoDB and of Amazon Kinesis.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from emulator.aws.ministack import MiniStack
from tests.integration.emulator.aws.event_stack import EventStack, SlowAnswer, error, event_stack

FUNCTION = """
  %(name)s:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: %(type)s, Properties: {Stream: !GetAtt %(stream)s, StartingPosition: TRIM_HORIZON,
        %(settings)s}}}
"""
TABLE = """
  %s:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
"""
TO_QUEUE = "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failures.Arn}}"
TO_TOPIC = "DestinationConfig: {OnFailure: {Type: SNS, Destination: !Ref Alarms}}"
SETTINGS = {
    "Partial": ("Table", "FunctionResponseTypes: [ReportBatchItemFailures], MaximumBatchingWindowInSeconds: 1"),
    "Retried": ("Table", f"BatchSize: 1, MaximumRetryAttempts: 1, {TO_QUEUE}"),
    "Aged": ("Table", f"MaximumRecordAgeInSeconds: 2, {TO_TOPIC}"),
    "Bisected": (
        "Kinesis",
        f"BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0, MaximumBatchingWindowInSeconds: 1, {TO_QUEUE}",
    ),
    "Parallel": ("Kinesis", "ParallelizationFactor: 4, BatchSize: 1"),
    "Ordered": ("Kinesis", "BatchSize: 1"),
    "Unreachable": ("Table", "MaximumRetryAttempts: 0"),
}
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: index.handler, CodeUri: ., Timeout: 5}
Resources:
  Failures: {Type: AWS::SQS::Queue}
  FromTopic: {Type: AWS::SQS::Queue}
  Alarms: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt FromTopic.Arn}]}}
  Let:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref FromTopic]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: "*"}]
""" + "".join(
    (TABLE % f"{name}Items" if kind == "Table" else f"\n  {name}Items: {{Type: AWS::Kinesis::Stream}}\n")
    + FUNCTION
    % {
        "name": name,
        "type": "DynamoDB" if kind == "Table" else "Kinesis",
        "stream": f"{name}Items.{'StreamArn' if kind == 'Table' else 'Arn'}",
        "settings": settings,
    }
    for name, (kind, settings) in SETTINGS.items()
)


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStack]:
    with event_stack(TEMPLATE, ministack, tmp_path_factory.mktemp("streams"), "streams") as made:
        yield made


def put(stack: EventStack, function: str, *keys: str) -> None:
    """Write records whose name is their key; those of a Kinesis stream come as one batch."""
    name = stack.ref(f"{function}Items")
    if SETTINGS[function][0] == "Table":
        for key in keys:
            stack.client("dynamodb").put_item(TableName=name, Item={"id": {"S": key}})
    else:
        records = [{"Data": key.encode(), "PartitionKey": key} for key in keys]
        stack.client("kinesis").put_records(StreamName=name, Records=records)


def names(event: Mapping[str, Any]) -> list[str]:
    records = event["Records"]
    return [
        one["dynamodb"]["Keys"]["id"]["S"] if "dynamodb" in one else one["kinesis"]["partitionKey"] for one in records
    ]


def batches(stack: EventStack, function: str) -> list[list[str]]:
    return [names(event) for event in stack.events(function)]


def failing(*bad: str) -> Callable[[Any], tuple[Any, bool]]:
    return lambda event: error("Broken") if set(bad) & set(names(event)) else (None, False)


def record_of(stack: EventStack, function: str, queue: str = "Failures") -> Any:
    """Return the next failure record: tests run one after another, so it is of `function`."""
    body = json.loads(stack.message(queue)["Body"])
    record = json.loads(body["Message"]) if "Message" in body else body
    assert record["requestContext"]["functionArn"].endswith(stack.ref(function))
    return record


def test_every_setting_is_followed(stack: EventStack) -> None:
    assert stack.stack.notes() == []


def test_what_a_function_reports_as_failed_comes_again_with_all_after_it(stack: EventStack) -> None:
    has_failed = False

    def report(event: Any) -> tuple[Any, bool]:
        nonlocal has_failed
        failed = [one["dynamodb"]["SequenceNumber"] for one in event["Records"] if names({"Records": [one]}) == ["b"]]
        if not failed or has_failed:
            return {"batchItemFailures": []}, False
        has_failed = True
        return {"batchItemFailures": [{"itemIdentifier": failed[0]}]}, False

    stack.answer("Partial", report)
    put(stack, "Partial", "a", "b", "c")
    stack.until(lambda: [batch[:1] for batch in batches(stack, "Partial")].count(["b"]))
    put(stack, "Partial", "d")
    stack.until(lambda: "d" in batches(stack, "Partial")[-1])
    seen = [name for batch in batches(stack, "Partial") for name in batch]
    assert (seen.count("a"), seen.count("b"), seen.count("d")) == (1, 2, 1)
    assert seen[-2:] == ["c", "d"]


def test_a_batch_is_given_up_after_its_retries_and_the_next_one_waits_until_then(stack: EventStack) -> None:
    stack.answer("Retried", failing("bad"))
    put(stack, "Retried", "bad", "good")
    record = record_of(stack, "Retried")
    stack.until(lambda: ["good"] in batches(stack, "Retried"))
    assert batches(stack, "Retried") == [["bad"], ["bad"], ["good"]]
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    number = stack.events("Retried")[0]["Records"][0]["dynamodb"]["SequenceNumber"]
    told = record["DDBStreamBatchInfo"]
    assert (told["startSequenceNumber"], told["endSequenceNumber"], told["batchSize"]) == (number, number, 1)
    assert told["streamArn"] == stack.events("Retried")[0]["Records"][0]["eventSourceARN"]


def test_a_batch_is_given_up_at_its_age_and_a_topic_is_told(stack: EventStack) -> None:
    """The least age in AWS is a minute; the endpoint takes two seconds, too."""
    stack.answer("Aged", failing("old"))
    put(stack, "Aged", "old")
    record = record_of(stack, "Aged", "FromTopic")
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == len(batches(stack, "Aged"))
    put(stack, "Aged", "new")
    stack.until(lambda: ["new"] in batches(stack, "Aged"))


def test_a_batch_that_fails_is_halved_until_the_bad_record_is_alone(stack: EventStack) -> None:
    """Splitting uses up no retry: there is none here."""
    stack.answer("Bisected", failing("c"))
    put(stack, "Bisected", "a", "b", "c", "d")
    record = record_of(stack, "Bisected")
    stack.until(lambda: ["d"] in batches(stack, "Bisected"))
    assert batches(stack, "Bisected") == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    told = record["KinesisBatchInfo"]
    failed = stack.events("Bisected")[3]["Records"][0]
    assert told["startSequenceNumber"] == told["endSequenceNumber"] == failed["kinesis"]["sequenceNumber"]
    assert (told["shardId"], told["batchSize"]) == (failed["eventID"].partition(":")[0], 1)


def most_at_once(stack: EventStack, function: str, count: int) -> int:
    slowly = SlowAnswer()
    stack.answer(function, slowly)
    put(stack, function, *(str(number) for number in range(count)))
    stack.until(lambda: len(stack.events(function)) == count)
    return slowly.most


def test_a_shard_runs_as_many_batches_at_once_as_its_factor(stack: EventStack) -> None:
    assert 1 < most_at_once(stack, "Parallel", 16) <= 4


def test_a_shard_runs_one_batch_after_another_in_order(stack: EventStack) -> None:
    assert most_at_once(stack, "Ordered", 6) == 1
    assert batches(stack, "Ordered") == [[str(number)] for number in range(6)]


def test_an_event_that_cannot_reach_the_function_uses_up_no_retry(stack: EventStack) -> None:
    stack.functions.refused.add(stack.ref("Unreachable"))
    put(stack, "Unreachable", "early")
    stack.until(lambda: stack.functions.refusals)
    stack.functions.refused.clear()
    stack.until(lambda: batches(stack, "Unreachable") == [["early"]])
