"""How events come to a function: retries, destinations, dead letters, filters, batches, concurrency, schedules."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.aws.ministack import MiniStack
from tests.integration.emulator.aws.event_stack import EventStack, SlowAnswer, error, event_stack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: index.handler, CodeUri: ., Timeout: 5}
Resources:
  Successes: {Type: AWS::SQS::Queue}
  Failures: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Orders: {Type: AWS::SQS::Queue}
  Slow: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  Files: {Type: AWS::S3::Bucket}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  WithDestinations:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig:
          OnSuccess: {Type: SQS, Destination: !GetAtt Successes.Arn}
          OnFailure: {Type: SQS, Destination: !GetAtt Failures.Arn}
  WithDeadLetters:
    Type: AWS::Serverless::Function
    Properties:
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
      Events: {Event: {Type: SNS, Properties: {Topic: !Ref News, FilterPolicyScope: MessageBody,
        FilterPolicy: {kind: [order], amount: [{numeric: [">", 10]}]}}}}
  Published:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: Lambda, Destination: !GetAtt Listener.Arn}}
      Events: {Event: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}}
  Listener: {Type: AWS::Serverless::Function}
  Told: {Type: AWS::SQS::Queue}
  ToldPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Told]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: "*"}]
  Results: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Told.Arn}]}}
  Outcomes: {Type: AWS::Events::EventBus, Properties: {Name: outcomes}}
  Telling:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig:
          OnSuccess: {Type: SNS, Destination: !Ref Results}
          OnFailure: {Type: EventBridge, Destination: !GetAtt Outcomes.Arn}
  OfOutcomes:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: EventBridgeRule, Properties: {EventBusName: !Ref Outcomes, Pattern: {source: [lambda]}}}}
  OfOrders:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Event:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: 3
            FilterCriteria: {Filters: [{Pattern: '{"body": {"kind": ["order"]}}'}]}
  OfSlow:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Event:
          Type: SQS
          Properties: {Queue: !GetAtt Slow.Arn, BatchSize: 1, ScalingConfig: {MaximumConcurrency: 2}}
  OfItems:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Event:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            FilterCriteria: {Filters: [{Pattern: '{"eventName": ["REMOVE"]}'}]}
  OfImages:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Event:
          Type: S3
          Properties:
            Bucket: !Ref Files
            Events: "s3:ObjectCreated:*"
            Filter: {S3Key: {Rules: [{Name: prefix, Value: images/}, {Name: suffix, Value: .png}]}}
  OfSteps: {Type: AWS::Serverless::Function}
  Steps:
    Type: AWS::Serverless::StateMachine
    Properties:
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref OfSteps}}]
      Definition:
        StartAt: Do
        States:
          Do:
            Type: Task
            Resource: !GetAtt OfSteps.Arn
            Retry: [{ErrorEquals: [Busy], IntervalSeconds: 1, MaxAttempts: 2}]
            Catch: [{ErrorEquals: [OutOfStock], Next: Apologise}]
            End: true
          Apologise: {Type: Pass, Result: sorry, End: true}
  OfRate:
    Type: AWS::Serverless::Function
    Properties: {Events: {Event: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}}}
  OfCron:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: Schedule, Properties: {Schedule: "cron(* * * * ? *)", Input: '{"of": "cron"}'}}}
  OfScheduler:
    Type: AWS::Serverless::Function
    Properties: {Events: {Event: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute)}}}}
  Once:
    Type: AWS::Serverless::Function
    Properties: {Events: {Event: {Type: ScheduleV2, Properties: {ScheduleExpression: at(SOON), Input: '{"of": "at"}'}}}}
"""


@pytest.fixture(scope="module")
def soon() -> datetime:
    """When the schedule at a time fires."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory, soon: datetime) -> Iterator[EventStack]:
    template = TEMPLATE.replace("SOON", f"{soon:%Y-%m-%dT%H:%M:%S}")
    with event_stack(template, ministack, tmp_path_factory.mktemp("settings"), "settings") as made:
        yield made


def send_later(stack: EventStack, function: str, payload: Any) -> None:
    stack.client("lambda").invoke(
        FunctionName=stack.ref(function), InvocationType="Event", Payload=json.dumps(payload).encode()
    )


def test_everything_of_the_template_is_followed(stack: EventStack) -> None:
    assert stack.stack.notes() == []


def test_an_answer_goes_to_the_destination_for_success(stack: EventStack) -> None:
    stack.answer("WithDestinations", lambda event: ({"done": event["order"]}, False))
    send_later(stack, "WithDestinations", {"order": 7})
    record = json.loads(stack.message("Successes")["Body"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestPayload"] == {"order": 7}
    assert record["responsePayload"] == {"done": 7}
    assert "functionError" not in record["responseContext"]


def test_an_event_that_fails_is_tried_again_and_goes_to_the_destination_for_failures(stack: EventStack) -> None:
    stack.answer("WithDestinations", lambda _: error("Broken", "no"))
    send_later(stack, "WithDestinations", {"order": 8})
    record = json.loads(stack.message("Failures")["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"]["errorType"] == "Broken"
    assert stack.events("WithDestinations").count({"order": 8}) == 2


def test_a_topic_gets_the_record_of_a_success(stack: EventStack) -> None:
    stack.answer("Telling", lambda event: ({"done": event["order"]}, False))
    send_later(stack, "Telling", {"order": 1})
    record = json.loads(json.loads(stack.message("Told")["Body"])["Message"])
    assert record["requestContext"]["condition"] == "Success"
    assert record["responsePayload"] == {"done": 1}


def test_a_bus_gets_the_record_of_a_failure(stack: EventStack) -> None:
    stack.answer("Telling", lambda _: error("Broken", "no"))
    send_later(stack, "Telling", {"order": 2})
    event = stack.event("OfOutcomes")
    assert (event["source"], event["detail-type"]) == ("lambda", "Lambda Function Invocation Result - Failure")
    assert event["detail"]["requestPayload"] == {"order": 2}
    assert event["detail"]["responsePayload"]["errorType"] == "Broken"
    assert any(resource.endswith(stack.ref("Telling")) for resource in event["resources"])


def test_what_fails_three_times_is_a_dead_letter_with_the_event_as_its_body(stack: EventStack) -> None:
    stack.answer("WithDeadLetters", lambda _: error("Broken", "no"))
    stack.client("sns").publish(TopicArn=stack.ref("News"), Message='{"kind": "order", "amount": 11}')
    letter = stack.message("Dead")
    assert json.loads(letter["Body"])["Records"][0]["Sns"]["Message"] == '{"kind": "order", "amount": 11}'
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"
    assert len(stack.events("WithDeadLetters")) == 3


def test_a_topics_filter_of_the_body_keeps_others_away(stack: EventStack) -> None:
    stack.answer("WithDeadLetters", lambda _: (None, False))
    before = len(stack.events("WithDeadLetters"))
    for body in ({"kind": "order", "amount": 9}, {"kind": "other", "amount": 99}, {"kind": "order", "amount": 99}):
        stack.client("sns").publish(TopicArn=stack.ref("News"), Message=json.dumps(body))
    stack.until(lambda: len(stack.events("WithDeadLetters")) > before)
    time.sleep(0.5)  # for what should not come
    (event,) = stack.events("WithDeadLetters")[before:]
    assert json.loads(event["Records"][0]["Sns"]["Message"]) == {"kind": "order", "amount": 99}


def test_an_alias_has_settings_of_its_own_and_its_failure_invokes_a_function(stack: EventStack) -> None:
    stack.answer("Published", lambda _: error("Broken"))
    stack.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "sold", "Detail": "{}"}])
    record = stack.event("Listener")
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestContext"]["functionArn"].endswith(":live")
    assert record["requestPayload"]["detail-type"] == "sold"


def test_a_mapping_filters_messages_and_keeps_to_its_batch_size(stack: EventStack) -> None:
    bodies = [{"kind": "order" if number % 2 else "other", "number": number} for number in range(10)]
    entries = [{"Id": str(body["number"]), "MessageBody": json.dumps(body)} for body in bodies]
    stack.client("sqs").send_message_batch(QueueUrl=stack.ref("Orders"), Entries=entries)

    def numbers() -> list[int]:
        records = [record for event in stack.events("OfOrders") for record in event["Records"]]
        return sorted(json.loads(record["body"])["number"] for record in records)

    stack.until(lambda: len(numbers()) >= 5)
    assert numbers() == [1, 3, 5, 7, 9]
    assert max(len(event["Records"]) for event in stack.events("OfOrders")) <= 3


def test_a_mapping_runs_no_more_at_once_than_its_maximum_concurrency(stack: EventStack) -> None:
    slowly = SlowAnswer()
    stack.answer("OfSlow", slowly)
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(8)]
    stack.client("sqs").send_message_batch(QueueUrl=stack.ref("Slow"), Entries=entries)
    stack.until(lambda: len(stack.events("OfSlow")) == 8)
    assert slowly.most == 2


def test_a_mapping_filters_the_changes_of_a_table(stack: EventStack) -> None:
    table = {"TableName": stack.ref("Items")}
    stack.client("dynamodb").put_item(**table, Item={"id": {"S": "a"}})
    stack.client("dynamodb").delete_item(**table, Key={"id": {"S": "a"}})
    assert [record["eventName"] for record in stack.event("OfItems")["Records"]] == ["REMOVE"]


def test_a_buckets_filter_of_keys_keeps_others_away(stack: EventStack) -> None:
    for key in ("images/a.txt", "a.png", "images/a.png"):
        stack.client("s3").put_object(Bucket=stack.ref("Files"), Key=key, Body=b"x")
    stack.event("OfImages")
    time.sleep(0.5)  # for what should not come
    keys = [record["s3"]["object"]["key"] for event in stack.events("OfImages") for record in event["Records"]]
    assert keys == ["images/a.png"]


@pytest.mark.parametrize(
    ("errors", "status", "calls"),
    [
        (["Busy"], "SUCCEEDED", 2),
        (["Busy"] * 3, "FAILED", 3),
        (["OutOfStock"], "SUCCEEDED", 1),
        (["Other"], "FAILED", 1),
    ],
)
def test_a_state_machine_retries_and_catches_errors_by_name(
    stack: EventStack, errors: list[str], status: str, calls: int
) -> None:
    left = list(errors)
    stack.answer("OfSteps", lambda _: error(left.pop(0)) if left else ("done", False))
    before = len(stack.events("OfSteps"))
    steps = stack.client("stepfunctions")
    execution = steps.start_execution(stateMachineArn=stack.ref("Steps"), input="{}")["executionArn"]
    found = stack.until(
        lambda: (one := steps.describe_execution(executionArn=execution))["status"] != "RUNNING" and one
    )
    assert (found["status"], len(stack.events("OfSteps")) - before) == (status, calls)
    if status == "SUCCEEDED":
        assert json.loads(found["output"]) == ("sorry" if errors == ["OutOfStock"] else "done")
    else:
        assert found["error"] == errors[-1]


def test_a_schedule_at_a_time_fires_once_and_not_before(stack: EventStack, soon: datetime) -> None:
    assert stack.event("Once") == {"of": "at"}
    assert datetime.now(UTC) >= soon
    assert len(stack.events("Once")) == 1


@pytest.mark.parametrize(
    ("function", "source"), [("OfCron", None), ("OfRate", "aws.events"), ("OfScheduler", "aws.scheduler")]
)
def test_a_schedule_fires(stack: EventStack, function: str, source: str | None) -> None:
    """Each of them within the minute that the tests before have used up in part."""
    event = stack.until(lambda: stack.events(function), seconds=70)[0]
    assert event == {"of": "cron"} if source is None else event["source"] == source
