"""Usual additions to this template, as somebody who inherits it writes them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sam_template.repository import TEMPLATE

_FUNCTION = "Orders:\n  Type: AWS::Serverless::Function\n  Properties:\n    {CodeUri: orders/, Handler: h.h%s}\n"
_EVENTS = ", Events: {Event: {Type: %s, Properties: {%s}}}"
_DEFINITION = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": "${Function}", "End": True}}}
_HANDLER = 'def h(event, context):\n    return {"statusCode": 200, "body": "ok"}\n'


@dataclass(frozen=True)
class Addition:
    """Resources as YAML; `said` is the pattern of what a start says of them, "" when all of it is emulated."""

    resources: str
    said: str = ""


def _consumer(kind: str, properties: str, *others: str) -> Addition:
    return Addition("".join([_FUNCTION % (_EVENTS % (kind, properties)), *others]))


ADDITIONS: Final = {
    "function": Addition(_FUNCTION % ""),
    "route": _consumer("HttpApi", "ApiId: !Ref ShopApi, Method: GET, Path: /orders"),
    "queue": _consumer("SQS", "Queue: !GetAtt Jobs.Arn", "Jobs: {Type: AWS::SQS::Queue}\n"),
    "topic": _consumer("SNS", "Topic: !Ref News", "News: {Type: AWS::SNS::Topic}\n"),
    "rule": _consumer("EventBridgeRule", "Pattern: {source: [shop]}"),
    "rate": _consumer("Schedule", "Schedule: rate(1 day)"),
    "schedule": _consumer("ScheduleV2", "ScheduleExpression: rate(1 day)"),
    "bucket": _consumer(
        "S3", 'Bucket: !Ref Uploads, Events: "s3:ObjectCreated:*"', "Uploads: {Type: AWS::S3::Bucket}\n"
    ),
    "stream": _consumer(
        "Kinesis",
        "Stream: !GetAtt Clicks.Arn, StartingPosition: LATEST",
        "Clicks: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}\n",
    ),
    "state machine in a file": Addition(
        _FUNCTION
        % ""
        + "Steps:\n  Type: AWS::Serverless::StateMachine\n  Properties:\n    DefinitionUri: steps.asl.json\n"
        "    DefinitionSubstitutions: {Function: !GetAtt Orders.Arn}\n"
    ),
    "parameter": Addition("Rate: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: '19'}}\n"),
    "key": Addition("Key: {Type: AWS::KMS::Key, Properties: {EnableKeyRotation: true}}\n"),
    "layer": Addition("Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared/}}\n"),
    "rest api": _consumer("Api", "Method: GET, Path: /orders"),
    "function url": Addition(
        _FUNCTION % ", FunctionUrlConfig: {AuthType: NONE}",
        r"Not emulated: .*1 Lambda::Url.*; neither sam local nor the gateway serves function URLs\.",
    ),
    "second table": Addition("Carts: {Type: AWS::Serverless::SimpleTable}\n"),
    "user pool": Addition(
        "Callers: {Type: AWS::Cognito::UserPool}\n",
        r"Made by MiniStack, properties not checked: Callers \(Cognito::UserPool\)\.",
    ),
    "nested stack": Addition(
        "Nested: {Type: AWS::Serverless::Application, Properties: {Location: nested.yaml}}\n",
        r"Not emulated: Nested \(CloudFormation::Stack\); MiniStack could not make it",
    ),
    "pool of caches": Addition(
        "Cache: {Type: AWS::MemoryDB::Cluster, Properties: {ClusterName: c, NodeType: t, ACLName: a}}\n",
        r"Not emulated: Cache \(MemoryDB::Cluster\); MiniStack does not know the type\.",
    ),
}


def write_template(folder: Path, names: Iterable[str]) -> Path:
    """Write this template with the additions `names`, and what they need beside it; return its path."""
    text = TEMPLATE.read_text(encoding="utf-8")
    for own in {"lambda_http", *re.findall(r"CodeUri: (\w+)/", text)}:
        (folder / own).symlink_to(TEMPLATE.parent / own)
    for number, name in enumerate(names):
        # Several of them at once have a function each.
        resources = re.sub(r"\bOrders\b", f"Orders{number or ''}", ADDITIONS[name].resources)
        text = text.replace("\nResources:\n", "\nResources:\n" + textwrap.indent(resources, "  "), 1)
    sources = {
        "template.yaml": text,
        "steps.asl.json": json.dumps(_DEFINITION),
        "nested.yaml": "Resources: {Queue: {Type: AWS::SQS::Queue}}\n",
        "orders/h.py": _HANDLER,
        "shared/python/shared.py": "VALUE = 1\n",
    }
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source, encoding="utf-8")
    return folder / "template.yaml"
