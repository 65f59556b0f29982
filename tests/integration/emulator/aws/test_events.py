"""What the endpoint delivers reaches the functions: each source hands its events to the port of a function's forwarder.

The port here records what comes and answers as it is told: it speaks Lambda's Invoke, as the engine's does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.clients import Clients
from emulator.aws.ministack import MiniStack
from emulator.aws.provisioning import Provisioner
from sam_template import Template

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
SECONDS = 15


def nothing(_: Any) -> tuple[Any, bool]:
    return None, False


class Functions:
    """Lambda's Invoke on a free port: it keeps the events of each function, and answers by `answers`."""

    def __init__(self) -> None:
        self.events: dict[str, list[Any]] = {}
        self.answers: dict[str, Callable[[Any], tuple[Any, bool]]] = {}
        functions = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                name = self.path.split("/")[3]
                functions.events.setdefault(name, []).append(event)
                answer, has_failed = functions.answers.get(name, nothing)(event)
                body = json.dumps(answer).encode()
                self.send_response(200)
                if has_failed:
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


class Stack:
    def __init__(self, provisioner: Provisioner, clients: Clients, functions: Functions) -> None:
        self._provisioner, self._clients, self._functions = provisioner, clients, functions

    def client(self, service: str) -> Any:
        return self._clients.named(service)

    def ref(self, name: str) -> str:
        return self._provisioner.created[name].ref

    def answer(self, function: str, answer: Callable[[Any], tuple[Any, bool]]) -> None:
        self._functions.answers[self.ref(function)] = answer

    def event(self, function: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first event of a function that is wanted, waiting for it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for event in self._functions.events.get(self.ref(function), []):
                if wanted(event):
                    return event
            time.sleep(0.05)
        raise AssertionError(f"{function} got {self._functions.events.get(self.ref(function))}")


@pytest.fixture(scope="module")
def stack(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    path: Path = tmp_path_factory.mktemp("events") / "template.yaml"
    path.write_text(TEMPLATE)
    functions = Functions()
    clients = Clients(ministack.endpoint, "us-east-1", functions.url)
    serving = threading.Thread(target=functions.server.serve_forever)
    serving.start()
    try:
        provisioner = Provisioner(Template.load(path), clients, "events", {})
        provisioner.create()
        yield Stack(provisioner, clients, functions)
    finally:
        functions.server.shutdown()
        serving.join()
        functions.server.server_close()
        for mapping in clients.named("lambda").list_event_source_mappings()["EventSourceMappings"]:
            clients.named("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_caller_of_invoke_gets_the_answer(stack: Stack) -> None:
    stack.answer("OfNobody", lambda event: ({"echo": event}, False))
    answer = stack.client("lambda").invoke(FunctionName=stack.ref("OfNobody"), Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"echo": {"a": 1}}
    assert "FunctionError" not in answer


def test_a_caller_of_invoke_gets_the_error(stack: Stack) -> None:
    stack.answer("OfNobody", lambda _: ({"errorType": "OutOfStock", "errorMessage": "none left"}, True))
    answer = stack.client("lambda").invoke(FunctionName=stack.ref("OfNobody"), Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorMessage"] == "none left"  # MiniStack calls every error HandlerError


def test_a_message_of_a_queue(stack: Stack) -> None:
    stack.client("sqs").send_message(QueueUrl=stack.ref("Jobs"), MessageBody="do it")
    event = stack.event("OfQueue", lambda event: event["Records"][0]["body"] == "do it")
    assert event["Records"][0]["eventSource"] == "aws:sqs"


def test_a_message_that_fails_reaches_the_dead_letter_queue_and_the_good_one_does_not(stack: Stack) -> None:
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


def test_a_change_of_a_table(stack: Stack) -> None:
    stack.client("dynamodb").put_item(TableName=stack.ref("Items"), Item={"id": {"S": "a"}})
    (record,) = stack.event("OfTable")["Records"]
    assert (record["eventName"], record["dynamodb"]["NewImage"]) == ("INSERT", {"id": {"S": "a"}})


def test_a_record_of_a_stream(stack: Stack) -> None:
    stack.client("kinesis").put_record(StreamName=stack.ref("Clicks"), PartitionKey="k", Data=b"click")
    assert stack.event("OfClicks")["Records"][0]["kinesis"]["data"] == "Y2xpY2s="


def test_a_message_of_a_topic_that_its_filter_lets_through(stack: Stack) -> None:
    for kind in ("other", "order"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        stack.client("sns").publish(TopicArn=stack.ref("News"), Message=kind, MessageAttributes=attributes)
    (record,) = stack.event("OfTopic")["Records"]
    assert (record["EventSource"], record["Sns"]["Message"]) == ("aws:sns", "order")


def test_an_event_of_a_rule_whose_target_is_an_alias(stack: Stack) -> None:
    stack.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "sold", "Detail": '{"sku": "A"}'}])
    event = stack.event("OfRule")
    assert (event["detail-type"], event["detail"]) == ("sold", {"sku": "A"})


def test_an_object_of_a_bucket(stack: Stack) -> None:
    stack.client("s3").put_object(Bucket=stack.ref("Files"), Key="a.txt", Body=b"a")
    record = stack.event("OfBucket", lambda event: "Records" in event)["Records"][0]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a.txt")


def test_a_task_of_a_state_machine(stack: Stack) -> None:
    stack.answer("OfSteps", lambda event: ({"done": event["order"]}, False))
    steps = stack.client("stepfunctions")
    execution = steps.start_execution(stateMachineArn=stack.ref("Steps"), input='{"order": 7}')["executionArn"]
    deadline = time.monotonic() + SECONDS
    while (found := steps.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert json.loads(found["output"]) == {"done": 7}
