"""What the endpoint delivers reaches the functions: each source hands its events to a function's forwarder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.aws.ministack import MiniStack
from tests.integration.emulator.aws.event_stack import SECONDS, EventStack, error, event_stack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: index.handler, CodeUri: ., Timeout: 5}
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 1
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Failures.Arn, maxReceiveCount: 2}
  Failures: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Files: {Type: AWS::S3::Bucket}
  Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  OfQueue:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Event:
          Type: SQS
          Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures]}
  OfTable:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: DynamoDB, Properties: {Stream: !GetAtt Items.StreamArn, StartingPosition: TRIM_HORIZON}}}
  OfClicks:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: Kinesis, Properties: {Stream: !GetAtt Clicks.Arn, StartingPosition: TRIM_HORIZON}}}
  OfTopic:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: SNS, Properties: {Topic: !Ref News, FilterPolicy: {kind: [order]}}}}
  OfRule:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      Events: {Event: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}}
  OfBucket:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: S3, Properties: {Bucket: !Ref Files, Events: "s3:ObjectCreated:*"}}}
  OfSteps: {Type: AWS::Serverless::Function}
  Steps:
    Type: AWS::Serverless::StateMachine
    Properties:
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref OfSteps}}]
      Definition: {StartAt: Do, States: {Do: {Type: Task, Resource: !GetAtt OfSteps.Arn, End: true}}}
  OfNobody: {Type: AWS::Serverless::Function}
"""


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStack]:
    with event_stack(TEMPLATE, ministack, tmp_path_factory.mktemp("events"), "events") as made:
        yield made


def test_a_caller_of_invoke_gets_the_answer(stack: EventStack) -> None:
    stack.answer("OfNobody", lambda event: ({"echo": event}, False))
    answer = stack.client("lambda").invoke(FunctionName=stack.ref("OfNobody"), Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"echo": {"a": 1}}
    assert "FunctionError" not in answer


def test_a_caller_of_invoke_gets_the_error(stack: EventStack) -> None:
    stack.answer("OfNobody", lambda _: error("OutOfStock", "none left"))
    answer = stack.client("lambda").invoke(FunctionName=stack.ref("OfNobody"), Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    told = json.load(answer["Payload"])
    assert (told["errorType"], told["errorMessage"]) == ("OutOfStock", "none left")


def test_a_message_of_a_queue(stack: EventStack) -> None:
    stack.client("sqs").send_message(QueueUrl=stack.ref("Jobs"), MessageBody="do it")
    event = stack.event("OfQueue", lambda event: event["Records"][0]["body"] == "do it")
    assert event["Records"][0]["eventSource"] == "aws:sqs"


def test_a_message_that_fails_reaches_the_dead_letter_queue_and_the_good_one_does_not(stack: EventStack) -> None:
    def fail_the_bad(event: Any) -> tuple[Any, bool]:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}, False

    stack.answer("OfQueue", fail_the_bad)
    sqs, jobs, failures = stack.client("sqs"), stack.ref("Jobs"), stack.ref("Failures")
    entries = [{"Id": body, "MessageBody": body} for body in ("good", "bad")]
    sqs.send_message_batch(QueueUrl=jobs, Entries=entries)
    bodies: list[str] = []
    deadline = time.monotonic() + SECONDS
    while not bodies and time.monotonic() < deadline:
        sqs.receive_message(QueueUrl=jobs, MaxNumberOfMessages=1, VisibilityTimeout=0)  # lets the queue sweep
        bodies += [one["Body"] for one in sqs.receive_message(QueueUrl=failures, WaitTimeSeconds=1).get("Messages", [])]
    assert bodies == ["bad"]


def test_a_change_of_a_table(stack: EventStack) -> None:
    stack.client("dynamodb").put_item(TableName=stack.ref("Items"), Item={"id": {"S": "a"}})
    (record,) = stack.event("OfTable")["Records"]
    assert (record["eventName"], record["dynamodb"]["NewImage"]) == ("INSERT", {"id": {"S": "a"}})


def test_a_record_of_a_stream(stack: EventStack) -> None:
    stack.client("kinesis").put_record(StreamName=stack.ref("Clicks"), PartitionKey="k", Data=b"click")
    assert stack.event("OfClicks")["Records"][0]["kinesis"]["data"] == "Y2xpY2s="


def test_a_message_of_a_topic_that_its_filter_lets_through(stack: EventStack) -> None:
    for kind in ("other", "order"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        stack.client("sns").publish(TopicArn=stack.ref("News"), Message=kind, MessageAttributes=attributes)
    (record,) = stack.event("OfTopic")["Records"]
    assert (record["EventSource"], record["Sns"]["Message"]) == ("aws:sns", "order")


def test_an_event_of_a_rule_whose_target_is_an_alias(stack: EventStack) -> None:
    stack.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "sold", "Detail": '{"sku": "A"}'}])
    event = stack.event("OfRule")
    assert (event["detail-type"], event["detail"]) == ("sold", {"sku": "A"})


def test_an_object_of_a_bucket(stack: EventStack) -> None:
    stack.client("s3").put_object(Bucket=stack.ref("Files"), Key="a.txt", Body=b"a")
    record = stack.event("OfBucket", lambda event: "Records" in event)["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a.txt")


def test_a_task_of_a_state_machine(stack: EventStack) -> None:
    stack.answer("OfSteps", lambda event: ({"done": event["order"]}, False))
    steps = stack.client("stepfunctions")
    execution = steps.start_execution(stateMachineArn=stack.ref("Steps"), input='{"order": 7}')["executionArn"]
    deadline = time.monotonic() + SECONDS
    while (found := steps.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads(found["output"]) == {"done": 7}
