"""IAM on both sides: who may invoke a function, and whether its role may read what it is mapped to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.aws.ministack import MiniStack
from emulator.aws.stack import Stack
from sam_template import Template, TemplateError
from tests.integration.emulator.aws.event_stack import EventStack, event_stack

FUNCTION = "Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: index.handler, CodeUri: .%s}"
TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  News: {{Type: AWS::SNS::Topic}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {{Protocol: lambda, TopicArn: !Ref News, Endpoint: !GetAtt Guarded.Arn}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [shop]}}
      Targets: [{{Id: guarded, Arn: !GetAtt Guarded.Arn}}, {{Id: open, Arn: !GetAtt Open.Arn}}]
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      {{Action: lambda:InvokeFunction, FunctionName: !Ref Open, Principal: events.amazonaws.com,
       SourceArn: !GetAtt Rule.Arn}}
  OtherRule:
    Type: AWS::Events::Rule
    Properties: {{EventPattern: {{source: [other]}}, Targets: [{{Id: open, Arn: !GetAtt Open.Arn}}]}}
  Files:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        LambdaConfigurations: [{{Event: "s3:ObjectCreated:*", Function: !GetAtt Guarded.Arn}}]
  Nobody:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Action: sts:AssumeRole
            Principal: {{Service: [scheduler.amazonaws.com, states.amazonaws.com]}}
  Clock:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {{Mode: "OFF"}}
      ScheduleExpression: at(2020-01-01T00:00:00)
      Target: {{Arn: !GetAtt Guarded.Arn, RoleArn: !GetAtt Nobody.Arn}}
  Steps:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt Nobody.Arn
      Definition: {{StartAt: Do, States: {{Do: {{Type: Task, Resource: !GetAtt Guarded.Arn, End: true}}}}}}
  Guarded: {{{FUNCTION % ""}}}
  Open: {{{FUNCTION % ""}}}
"""
MAPPING = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {{Type: AWS::SQS::Queue}}
  Clicks: {{Type: AWS::Kinesis::Stream, Properties: {{ShardCount: 1}}}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Action: sts:AssumeRole, Principal: {{Service: lambda.amazonaws.com}}}}]
      Policies:
        - PolicyName: Some
          PolicyDocument: {{Statement: [{{Effect: Allow, Action: [%s], Resource: "*"}}]}}
  Consumer: {{{FUNCTION % ", Role: !GetAtt Role.Arn"}}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Consumer, EventSourceArn: !GetAtt %s.Arn%s}}
"""
STARTING = ", StartingPosition: LATEST"


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStack]:
    with event_stack(TEMPLATE, ministack, tmp_path_factory.mktemp("permissions"), "permissions") as made:
        yield made


def denied(stack: EventStack, principal: str) -> str:
    """Return the source of a delivery to the guarded function that was denied to `principal`, waiting for it."""
    guarded = stack.stack.created["Guarded"].attributes["Arn"]

    def sources() -> list[str]:
        told = stack.functions.denied
        return [one["source"] for one in told if (one["principal"], one["target"]) == (principal, guarded)]

    source: str = stack.until(sources)[0]
    assert stack.events("Guarded") == []
    return source


def test_a_topic_without_permission_does_not_reach_the_function(stack: EventStack) -> None:
    stack.client("sns").publish(TopicArn=stack.ref("News"), Message="x")
    assert denied(stack, "sns.amazonaws.com") == stack.ref("News")


def test_a_bucket_without_permission_does_not_reach_the_function(stack: EventStack) -> None:
    stack.client("s3").put_object(Bucket=stack.ref("Files"), Key="a", Body=b"a")
    assert denied(stack, "s3.amazonaws.com") == f"arn:aws:s3:::{stack.ref('Files')}"


def test_a_rule_reaches_only_the_function_that_permits_it(stack: EventStack) -> None:
    events = stack.client("events")
    for source in ("other", "shop"):  # a rule that the permission does not name, and the one that it names
        events.put_events(Entries=[{"Source": source, "DetailType": "sold", "Detail": "{}"}])
    assert denied(stack, "events.amazonaws.com").endswith(stack.ref("Rule"))
    assert stack.event("Open")["source"] == "shop"
    time.sleep(0.5)  # for what should not come
    assert len(stack.events("Open")) == 1


def test_a_schedule_reaches_no_function_that_its_role_may_not_invoke(stack: EventStack) -> None:
    source = denied(stack, stack.stack.created["Nobody"].attributes["Arn"])
    assert source.endswith(f"/{stack.ref('Clock')}")


def test_a_state_machine_fails_whose_role_may_not_invoke_the_function(stack: EventStack) -> None:
    steps = stack.client("stepfunctions")
    execution = steps.start_execution(stateMachineArn=stack.ref("Steps"))["executionArn"]
    found = stack.until(
        lambda: (one := steps.describe_execution(executionArn=execution))["status"] != "RUNNING" and one
    )
    assert found["error"] == "Lambda.AWSLambdaException"
    assert "is not authorized to perform: lambda:InvokeFunction" in found["cause"]
    assert stack.events("Guarded") == []


@pytest.mark.parametrize(
    ("source", "allowed", "sentence"),
    [
        (
            "Jobs",
            "sqs:DeleteMessage, sqs:GetQueueAttributes",
            "does not have permissions to call ReceiveMessage on SQS",
        ),
        (
            "Jobs",
            "sqs:ReceiveMessage, sqs:GetQueueAttributes",
            "does not have permissions to call DeleteMessage on SQS",
        ),
        ("Clicks", "kinesis:GetRecords, kinesis:DescribeStream", "ensure the role can perform the GetRecords"),
    ],
)
def test_a_mapping_is_refused_whose_role_may_not_read_the_source(
    source: str, allowed: str, sentence: str, ministack: MiniStack, tmp_path: Path
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(MAPPING % (allowed, source, STARTING if source == "Clicks" else ""))
    name = f"refused-{allowed.partition(',')[0].partition(':')[2].lower()}"
    with pytest.raises(TemplateError, match=sentence):
        Stack(Template.load(path), ministack.endpoint, name=name).create()


def test_a_mapping_is_refused_whose_role_may_not_send_to_the_destination(ministack: MiniStack, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    destination = ", DestinationConfig: {OnFailure: {Destination: !GetAtt Jobs.Arn}}"
    path.write_text(MAPPING % ("kinesis:*", "Clicks", STARTING + destination))
    with pytest.raises(TemplateError, match="does not have permissions to call SendMessage on SQS"):
        Stack(Template.load(path), ministack.endpoint, name="unsendable").create()


def test_a_mapping_is_made_whose_role_may_read_the_source(ministack: MiniStack, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    allowed = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes"
    path.write_text(MAPPING % (allowed, "Jobs", ""))
    stack = Stack(Template.load(path), ministack.endpoint, name="allowed")
    stack.create()
    assert stack.notes() == []


def test_what_a_mapping_does_not_follow_is_said(ministack: MiniStack, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    allowed = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes, kinesis:*"
    path.write_text(MAPPING % (allowed, "Jobs", ", MaximumBatchingWindowInSeconds: 5"))
    stack = Stack(Template.load(path), ministack.endpoint, name="unfollowed")
    stack.create()
    assert stack.notes() == [
        (
            "Mapping (Lambda::EventSourceMapping): MaximumBatchingWindowInSeconds is not followed: a batch is what is "
            "there when the queue is read."
        )
    ]
    settings = ", MaximumRetryAttempts: 1, DestinationConfig: {OnFailure: {Destination: 'arn:aws:s3:::records'}}"
    path.write_text(MAPPING % (allowed, "Clicks", STARTING + settings))
    stack = Stack(Template.load(path), ministack.endpoint, name="unfollowed-stream")
    stack.create()
    assert stack.notes() == [
        (
            "Mapping (Lambda::EventSourceMapping): nothing is sent to arn:aws:s3:::records: only queues and topics get "
            "what is said of records given up."
        )
    ]
