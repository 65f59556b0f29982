"""What a developer reads when IAM refused a call of a function."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from emulator.aws.access_denied import DeniedCall, DeniedCalls, reference, statement
from emulator.aws.ministack_launcher import DENIED_CALL_HEADER
from emulator.aws.resource_type import Created
from emulator.aws.stack import Stack

TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/shop-Items"
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop-Keys-a1b2c3"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:shop-F"
CREATED: Mapping[str, Created] = {
    "Items": Created("shop-Items", {"Arn": TABLE, "StreamArn": f"{TABLE}/stream/2026-01-01T00:00:00.000"}),
    "Files": Created("shop-files", {"Arn": "arn:aws:s3:::shop-files", "DomainName": "shop-files.s3.amazonaws.com"}),
    "Keys": Created(SECRET, {"Id": SECRET}),
    "F": Created("shop-F", {"Arn": FUNCTION}),
}
STACK = cast(
    Stack, SimpleNamespace(template=SimpleNamespace(path=Path("template.yaml"), functions={"F": None}), created=CREATED)
)


def head(**told: Any) -> bytes:
    """Return the head of an answer of MiniStack."""
    denied = {
        "principal": "arn:aws:sts::000000000000:assumed-role/shop-FRole-X/F_",
        "action": "dynamodb:PutItem",
        "resource": TABLE,
        "decision": "ImplicitDeny",
        "policy_of": "",
        **told,
    }
    return f"HTTP/1.1 403 Forbidden\r\n{DENIED_CALL_HEADER}: {json.dumps(denied)}\r\nContent-Length: 0\r\n\r\n".encode()


def told(caplog: pytest.LogCaptureFixture, *heads: bytes) -> list[str]:
    denied_calls = DeniedCalls(STACK)
    with caplog.at_level(logging.INFO):
        for one in heads:
            denied_calls.observe(one)
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (TABLE, ("Items", "!GetAtt Items.Arn")),
        (f"{TABLE}/index/by-name", ("Items", '!Sub "${Items.Arn}/index/*"')),
        (f"{TABLE}/stream/2026-01-01T00:00:00.000", ("Items", "!GetAtt Items.StreamArn")),
        (f"{TABLE}-2", ("", json.dumps(f"{TABLE}-2"))),
        ("arn:aws:s3:::shop-files", ("Files", "!GetAtt Files.Arn")),
        ("arn:aws:s3:::shop-files/a b/ü.txt", ("Files", '!Sub "${Files.Arn}/*"')),
        ("arn:aws:s3:::others/a.txt", ("", '"arn:aws:s3:::others/*"')),
        (SECRET, ("Keys", "!Ref Keys")),
        (f"{FUNCTION}:7", ("F", '!Sub "${F.Arn}:*"')),
        ("*", ("", '"*"')),
    ],
)
def test_an_arn_becomes_what_the_template_calls_it(arn: str, expected: tuple[str, str]) -> None:
    assert reference(arn, CREATED) == expected


def test_the_missing_statement_is_yaml_for_the_template() -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda _, name, node: f"{name} {node.value}")
    text = statement(DeniedCall("F", "s3:GetObject", "arn:aws:s3:::shop-files/a.txt"), CREATED)
    assert yaml.load(f"- {text}", Loader) == [
        {
            "Sid": "GetObjectOnFiles",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "Sub ${Files.Arn}/*",
        }
    ]


def test_function_action_resource_and_statement_are_named(caplog: pytest.LogCaptureFixture) -> None:
    (sentence,) = told(caplog, head())
    assert sentence == (
        f"F may not call dynamodb:PutItem on {TABLE}; its Policies in template.yaml lack "
        "{Sid: PutItemOnItems, Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt Items.Arn}"
    )


@pytest.mark.parametrize(
    ("policy_of", "words"),
    [
        ("arn:aws:s3:::shop-files", "the policy of Files"),
        ("arn:aws:s3:::x", "the policy of arn:aws:s3:::x"),
        ("", "its own policies"),
    ],
)
def test_a_deny_is_no_missing_statement(caplog: pytest.LogCaptureFixture, policy_of: str, words: str) -> None:
    (sentence,) = told(caplog, head(decision="Deny", policy_of=policy_of))
    assert sentence == f"F may not call dynamodb:PutItem on {TABLE}; a Deny in {words} in template.yaml forbids it."


def test_what_one_statement_would_mend_is_told_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    denied_calls = DeniedCalls(STACK)
    for name in ("a.txt", "b.txt", "a.txt"):
        denied_calls.observe(head(action="s3:GetObject", resource=f"arn:aws:s3:::shop-files/{name}"))
    denied_calls.observe(head())
    assert len(caplog.records) == 2
    first, second = denied_calls.describe()
    assert first.startswith("F may not call s3:GetObject on arn:aws:s3:::shop-files/a.txt; ")
    assert first.endswith(" (denied so far: 3)")
    assert second.endswith(" (denied so far: 1)")


def test_an_object_may_be_called_anything(caplog: pytest.LogCaptureFixture) -> None:
    (sentence,) = told(caplog, head(action="s3:GetObject", resource="arn:aws:s3:::shop-files/a\nb"))
    assert "shop-files/a\\nb; its Policies" in sentence


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n" + head().partition(b"\r\n")[2],
        head(principal="arn:aws:sts::000000000000:assumed-role/shop-FRole-X/a-person"),
    ],
    ids=["another error", "a body", "nobody of the template"],
)
def test_nothing_else_is_told(caplog: pytest.LogCaptureFixture, answer: bytes) -> None:
    assert told(caplog, answer) == []
