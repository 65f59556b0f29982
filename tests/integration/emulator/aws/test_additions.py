"""Usual additions to this template start, and what of them is not emulated is said."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from emulator.aws.clients import Clients
from emulator.aws.stack import Stack
from sam_template import Template
from sam_template.repository import TEMPLATE

FUNCTION = "Type: AWS::Serverless::Function\n  Properties:\n    {CodeUri: orders/, Handler: h.h%s}\n"
EVENTS = ", Events: {Event: {Type: %s, Properties: {%s}}}"


def consumer(kind: str, properties: str) -> str:
    return "Orders:\n  " + FUNCTION % (EVENTS % (kind, properties))


SHOP = TEMPLATE.read_text(encoding="utf-8")
DEFINITION = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": "${Function}", "End": True}}}
ADDITIONS: dict[str, tuple[str, str]] = {
    "function": ("Orders:\n  " + FUNCTION % "", ""),
    "route": (consumer("HttpApi", "ApiId: !Ref ShopApi, Method: GET, Path: /orders"), ""),
    "queue": (consumer("SQS", "Queue: !GetAtt Jobs.Arn") + "Jobs: {Type: AWS::SQS::Queue}\n", ""),
    "topic": (consumer("SNS", "Topic: !Ref News") + "News: {Type: AWS::SNS::Topic}\n", ""),
    "rule": (consumer("EventBridgeRule", "Pattern: {source: [shop]}"), ""),
    "rate": (consumer("Schedule", "Schedule: rate(1 day)"), ""),
    "schedule": (consumer("ScheduleV2", "ScheduleExpression: rate(1 day)"), ""),
    "bucket": (
        consumer("S3", 'Bucket: !Ref Uploads, Events: "s3:ObjectCreated:*"') + "Uploads: {Type: AWS::S3::Bucket}\n",
        "",
    ),
    "stream": (
        consumer("Kinesis", "Stream: !GetAtt Clicks.Arn, StartingPosition: LATEST")
        + "Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}\n",
        "",
    ),
    "state machine in a file": (
        "Orders:\n  "
        + FUNCTION % ""
        + "Steps:\n  Type: AWS::Serverless::StateMachine\n  Properties:\n    DefinitionUri: steps.asl.json\n"
        "    DefinitionSubstitutions: {Function: !GetAtt Orders.Arn}\n",
        "",
    ),
    "parameter": ("Rate: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: '19'}}\n", ""),
    "key": ("Key: {Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}}\n", ""),
    "layer": ("Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared/}}\n", ""),
    "rest api": (consumer("Api", "Method: GET, Path: /orders"), ""),
    "function url": (
        "Orders:\n  " + FUNCTION % ", FunctionUrlConfig: {AuthType: NONE}",
        r"Not emulated: .*1 Lambda::Url.*; sam local serves no function URLs\.",
    ),
    "second table": (
        "Carts: {Type: AWS::Serverless::SimpleTable}\n",
        "",
    ),
    "user pool": (
        "Callers: {Type: AWS::Cognito::UserPool}\n",
        r"Made by MiniStack, properties not checked: Callers \(Cognito::UserPool\)\.",
    ),
    "nested stack": (
        "Nested: {Type: AWS::Serverless::Application, Properties: {Location: nested.yaml}}\n",
        r"Not emulated: Nested \(CloudFormation::Stack\); MiniStack could not make it",
    ),
    "pool of caches": (
        "Cache: {Type: AWS::MemoryDB::Cluster, Properties: {ClusterName: c, NodeType: t, ACLName: a}}\n",
        r"Not emulated: Cache \(MemoryDB::Cluster\); MiniStack does not know the type\.",
    ),
}


@pytest.mark.parametrize("name", ADDITIONS)
def test_it_starts_and_says_what_is_not_emulated(name: str, tmp_path: Path, root: Clients, shop: Stack) -> None:
    addition, expected = ADDITIONS[name]
    (tmp_path / "steps.asl.json").write_text(json.dumps(DEFINITION))
    (tmp_path / "nested.yaml").write_text("Resources: {Queue: {Type: AWS::SQS::Queue}}\n")
    path = tmp_path / "template.yaml"
    path.write_text(SHOP.replace("\nResources:\n", "\nResources:\n" + textwrap.indent(addition, "  "), 1))
    stack = Stack(Template.load(path), root.endpoint, name=f"add-{name.replace(' ', '-')}")
    stack.create()
    assert stack.sam_environment()["InventoryFunction"]["TABLE_NAME"]
    said = [note for note in stack.notes() if note not in shop.notes()]
    assert len(said) == bool(expected), said
    assert not expected or re.match(expected, said[0]), said
