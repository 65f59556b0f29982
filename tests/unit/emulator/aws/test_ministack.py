"""What MiniStack is started with, and what the launcher changes around it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.aws import ministack
from emulator.aws.ministack import MiniStack, MiniStackError, services_named
from emulator.aws.ministack_launcher import DENIED_CALL_HEADER, Enforcement, OverTls, WithDeniedCalls
from emulator.credentials import RootCredentials

ROOT = RootCredentials.random()


def test_nothing_of_the_callers_aws_configuration_reaches_it(tmp_path: Path) -> None:
    caller = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL": "https://x", "PYTHONPATH": "/y"}
    environment = ministack._environment(caller, 4567, tmp_path, ROOT, enforce_iam=True)
    assert environment["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL", "PYTHONPATH"} & set(environment)
    assert (environment["BIND_HOST"], environment["GATEWAY_PORT"], environment["AUTH"]) == ("127.0.0.1", "4567", "true")
    assert ministack._environment(caller, 1, tmp_path, ROOT, enforce_iam=False)["AUTH"] == "false"


def test_one_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(MiniStackError, match=r"MiniStack is not installed .*make setup"):
        asyncio.run(MiniStack(tmp_path, log=tmp_path / "log").start())


@pytest.mark.parametrize(
    ("type_name", "headers", "expected"),
    [
        ("http", [(b"host", b"x")], [(b"host", b"x"), (b"x-forwarded-proto", b"https")]),
        ("http", [(b"x-forwarded-proto", b"http")], [(b"x-forwarded-proto", b"http")]),
        ("lifespan", None, None),
    ],
)
def test_a_silent_request_counts_as_protected(type_name: str, headers: Any, expected: Any) -> None:
    seen: list[Any] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope.get("headers"))

    scope = {"type": type_name} | ({"headers": headers} if headers is not None else {})
    asyncio.run(OverTls(application)(scope, None, None))
    assert seen == [expected]
    assert scope.get("headers") == headers  # the server's own scope is left as it was


REFUSED = SimpleNamespace(
    decision="ImplicitDeny", principal_arn="arn:aws:sts::0:assumed-role/r/F", resource_policy_arn=""
)


def for_nobody(_service: str, _action: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("result", "status", "is_told"),
    [
        (REFUSED, 403, True),
        (REFUSED, 200, False),  # a batch says in its body which of its members were refused
        (SimpleNamespace(code="ExpiredTokenException"), 403, False),
        (None, 404, False),
    ],
    ids=["a denied call", "an answer", "bad credentials", "an error of another kind"],
)
def test_a_refused_call_is_told_in_a_header(result: Any, status: int, is_told: bool) -> None:
    enforcement = Enforcement(lambda *_, **__: result, for_nobody)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        enforcement("key", "s3:ListBucket", "s3", "us-east-1", "arn:aws:s3:::b")
        # A thread of the request sees a copy of its context.
        await asyncio.to_thread(enforcement, "key", "s3:GetObject", "s3", "us-east-1", resource_arn="arn:aws:s3:::b/ü")
        await send({"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        sent.append(message)

    sent: list[Any] = []
    asyncio.run(WithDeniedCalls(application)({"type": "http"}, None, send))
    headers = dict(sent[0]["headers"])
    assert headers.pop(b"a") == b"b"
    assert [name.decode() for name in headers] == [DENIED_CALL_HEADER] * is_told
    for value in headers.values():
        told = json.loads(value)
        assert (told["action"], told["resource"]) == ("s3:GetObject", "arn:aws:s3:::b/ü")
        assert (told["principal"], told["decision"]) == ("arn:aws:sts::0:assumed-role/r/F", "ImplicitDeny")
    assert sent[1] == {"type": "http.response.body"}


def test_what_is_refused_outside_of_a_request_is_told_to_nobody() -> None:
    enforcement = Enforcement(lambda *_, **__: REFUSED, for_nobody)
    assert enforcement("key", "s3:GetObject", "s3", "us-east-1") is REFUSED


@pytest.mark.parametrize(("key", "is_refused"), [("", False), ("key", True)])
def test_what_aws_lets_everybody_do_needs_no_credentials_but_right_ones_if_any(key: str, is_refused: bool) -> None:
    enforcement = Enforcement(lambda *_, **__: REFUSED, lambda *asked: asked == ("cognito-idp", "cognito-idp:SignUp"))
    assert (enforcement(key, "cognito-idp:SignUp", "cognito-idp", "us-east-1") is REFUSED) == is_refused
    assert enforcement(key, "cognito-idp:ListUsers", "cognito-idp", "us-east-1") is REFUSED


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Type: AWS::Serverless::Function\nType: AWS::DynamoDB::Table", ["dynamodb", "iam", "lambda"]),
        ('"Type": "AWS::SQS::Queue", "Type": "AWS::EC2::VPC"', ["sqs"]),  # others wait until somebody asks
        ("Ref: AWS::Region", []),
    ],
)
def test_the_services_of_a_template_are_guessed_from_its_text(template: str, expected: list[str]) -> None:
    assert services_named(template) == expected
