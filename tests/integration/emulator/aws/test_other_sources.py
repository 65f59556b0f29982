"""Sources besides queues, streams, topics, rules, schedules and buckets: some are followed, others are named."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.aws.ministack import MiniStack
from emulator.aws.stack import Stack
from sam_template import Template
from tests.integration.emulator.aws.event_stack import EventStack, event_stack

GLOBALS = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, Handler: index.handler, CodeUri: ., Timeout: 5}
Resources:
"""
FOLLOWED = (
    GLOBALS
    + """
  Lines: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: lines}}
  OfLog:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: CloudWatchLogs, Properties: {LogGroupName: !Ref Lines, FilterPattern: ERROR}}}
  Customers: {Type: AWS::Cognito::UserPool}
  Client: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Customers}}
  OfPool:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: Cognito, Properties: {UserPool: !Ref Customers, Trigger: PreSignUp}}}
  OfDevices:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Event: {Type: IoTRule, Properties: {Sql: "SELECT * FROM 'doors'", AwsIotSqlVersion: "2016-03-23"}}}
"""
)
FUNCTION = GLOBALS + "  F: {Type: AWS::Serverless::Function%s}\n"
ACCOUNT = "us-east-1:123456789012"
SECRET = f"SourceAccessConfigurations: [{{Type: BASIC_AUTH, URI: 'arn:aws:secretsmanager:{ACCOUNT}:secret:s'}}]"
VPC = (
    "SourceAccessConfigurations: "
    "[{Type: VPC_SUBNET, URI: 'subnet:s'}, {Type: VPC_SECURITY_GROUP, URI: 'security_group:g'}]"
)
CLICKS = "  Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}\n"
ELSEWHERE = f"arn:aws:sqs:{ACCOUNT}:elsewhere"
PIPE = """
  Jobs: {Type: AWS::SQS::Queue}
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties: {RoleArn: !GetAtt FRole.Arn, Source: !GetAtt Jobs.Arn, Target: !GetAtt F.Arn}
"""


def consumer(kind: str, properties: str, others: str = "") -> str:
    return FUNCTION % f", Properties: {{Events: {{E: {{Type: {kind}, Properties: {{{properties}}}}}}}}}" + others


SAID = {
    "enhanced fan-out": (
        consumer(
            "Kinesis",
            "Stream: !GetAtt C.ConsumerARN, StartingPosition: LATEST",
            f"{CLICKS}  C: {{Type: AWS::Kinesis::StreamConsumer, Properties: "
            "{ConsumerName: c, StreamARN: !GetAtt Clicks.Arn}}\n",
        ),
        "Not emulated: FE (Lambda::EventSourceMapping); it needs C, an AWS::Kinesis::StreamConsumer, which is not",
    ),
    "windows": (
        consumer(
            "Kinesis", "Stream: !GetAtt Clicks.Arn, StartingPosition: LATEST, TumblingWindowInSeconds: 30", CLICKS
        ),
        "FE (Lambda::EventSourceMapping): TumblingWindowInSeconds is left out",
    ),
    "provisioned pollers": (
        consumer(
            "SQS",
            "Queue: !GetAtt Q.Arn, ProvisionedPollerConfig: {MinimumPollers: 2}",
            "  Q: {Type: AWS::SQS::Queue}\n",
        ),
        "FE (Lambda::EventSourceMapping): ProvisionedPollerConfig is left out",
    ),
    "Amazon MSK": (
        consumer("MSK", f"Stream: 'arn:aws:kafka:{ACCOUNT}:cluster/c/1-2', StartingPosition: LATEST, Topics: [t]"),
        "FE (Lambda::EventSourceMapping): nothing is read from Amazon MSK.",
    ),
    "Amazon MQ": (
        consumer("MQ", f"Broker: 'arn:aws:mq:{ACCOUNT}:broker:b:b-1', Queues: [q], {SECRET}"),
        "FE (Lambda::EventSourceMapping): nothing is read from Amazon MQ.",
    ),
    "Amazon DocumentDB": (
        consumer(
            "DocumentDB",
            f"Cluster: 'arn:aws:rds:{ACCOUNT}:cluster:c', DatabaseName: d, StartingPosition: LATEST, {SECRET}",
        ),
        "FE (Lambda::EventSourceMapping): nothing is read from Amazon DocumentDB.",
    ),
    "Kafka": (
        consumer("SelfManagedKafka", f"KafkaBootstrapServers: ['a:9092'], Topics: [t], {VPC}"),
        "FE (Lambda::EventSourceMapping): nothing is read from a Kafka of one's own.",
    ),
    "queue of another stack": (
        consumer("SQS", f"Queue: '{ELSEWHERE}'"),
        f"Not emulated: FE (Lambda::EventSourceMapping); it needs {ELSEWHERE}, which template.yaml does not make.",
    ),
    "log": (
        consumer("CloudWatchLogs", "LogGroupName: lines, FilterPattern: ERROR"),
        "FE (Logs::SubscriptionFilter): functions log to the terminal, so only what PutLogEvents writes to its log",
    ),
    "Alexa": (
        consumer("AlexaSkill", "SkillId: amzn1.ask.skill.1"),
        "FEPermission (Lambda::Permission): nothing here sends events of alexa-appkit.amazon.com.",
    ),
    "another service": (
        FUNCTION
        % ""
        + "  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, "
        "Principal: lex.amazonaws.com}}\n",
        "P (Lambda::Permission): nothing here sends events of lex.amazonaws.com.",
    ),
    "custom resource": (
        FUNCTION % "" + "  C: {Type: Custom::Thing, Properties: {ServiceToken: !GetAtt F.Arn}}\n",
        "Not emulated: C (Custom::Thing); functions run once all resources are made, and then nobody asks for it.",
    ),
    "pipe": (FUNCTION % "" + PIPE, "Pipe (Pipes::Pipe): nothing comes from arn:aws:sqs:"),
    "WebSocket API": (
        FUNCTION % "" + "  W: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: w, ProtocolType: WEBSOCKET, "
        "RouteSelectionExpression: $request.body.action}}\n",
        "W (ApiGatewayV2::Api): neither sam local nor the gateway serves WebSocket APIs.",
    ),
}


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStack]:
    with event_stack(FOLLOWED, ministack, tmp_path_factory.mktemp("others"), "others") as made:
        yield made


def test_a_line_of_a_log_group_that_the_pattern_lets_through(stack: EventStack) -> None:
    logs = stack.client("logs")
    logs.create_log_stream(logGroupName="lines", logStreamName="a")
    now = time.time_ns() // 1_000_000
    lines = [{"timestamp": now, "message": text} for text in ("INFO one", "ERROR two")]
    logs.put_log_events(logGroupName="lines", logStreamName="a", logEvents=lines)
    told = json.loads(gzip.decompress(base64.b64decode(stack.event("OfLog")["awslogs"]["data"])))
    assert [line["message"] for line in told["logEvents"]] == ["ERROR two"]


def test_a_person_who_signs_up_at_a_user_pool(stack: EventStack) -> None:
    stack.answer("OfPool", lambda event: (event, False))
    stack.client("cognito-idp").sign_up(ClientId=stack.ref("Client"), Username="ada", Password="Passw0rd!")
    event = stack.event("OfPool")
    assert (event["triggerSource"], event["userName"]) == ("PreSignUp_SignUp", "ada")


def test_a_message_of_a_device(stack: EventStack) -> None:
    stack.client("iot-data").publish(topic="doors", payload=b'{"door": 1}')
    assert stack.event("OfDevices") == {"door": 1}


@pytest.mark.parametrize("kind", SAID)
def test_a_source_that_is_not_followed_is_named_and_the_start_goes_on(
    kind: str, ministack: MiniStack, tmp_path: Path
) -> None:
    template, said = SAID[kind]
    path = tmp_path / "template.yaml"
    path.write_text(template)
    stack = Stack(Template.load(path), ministack.endpoint, name=f"unfollowed-{kind.replace(' ', '-')}")
    stack.create()
    assert [note for note in stack.notes() if note.startswith(said)], stack.notes()
