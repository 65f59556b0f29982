from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.stub import Stubber

from pre_traffic_check import hook

VERSIONS = {"INVENTORY_VERSION": "arn:inventory:7", "SHOPBOT_VERSION": "arn:shopbot:9"}
Function = Callable[[dict[str, Any]], Any]


class FakeLambda:
    """Answers Invoke with what `functions` (by ARN) return; a FunctionError is a tuple of its kind and payload."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self._functions = functions

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 botocore's names
        answer = self._functions[FunctionName](json.loads(Payload))
        kind, answer = answer if isinstance(answer, tuple) else (None, answer)
        error = {"FunctionError": kind} if kind else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode()), **error}


def healthy(_event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": "{}"}


def test_versions_that_answer_pass() -> None:
    asked: list[tuple[str, str]] = []

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        asked.append((event["rawPath"], event["rawQueryString"]))
        return healthy(event)

    functions = FakeLambda({"arn:inventory:7": answer, "arn:shopbot:9": answer})

    assert hook.check(functions, VERSIONS) == []
    assert asked == [("/", ""), ("/inventory", "limit=1"), ("/health", ""), ("/chat/ui", "")]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"statusCode": 503}, "answered 503 instead of 200"),
        ({}, "answered None instead of 200"),
        ("text", "answered None instead of 200"),
        (("Unhandled", {"errorType": "Runtime.ImportModuleError"}), "ended with Runtime.ImportModuleError"),
        (("Unhandled", "no object"), "ended with Unhandled"),
    ],
)
def test_a_version_that_does_not_answer_as_it_should_is_named(answer: Any, complaint: str) -> None:
    functions = FakeLambda({"arn:inventory:7": healthy, "arn:shopbot:9": lambda _: answer})

    assert hook.check(functions, VERSIONS) == [
        f"arn:shopbot:9: GET /health {complaint}.",
        f"arn:shopbot:9: GET /chat/ui {complaint}.",
    ]


def test_a_version_that_cannot_be_invoked_is_named() -> None:
    functions = FakeLambda({"arn:inventory:7": healthy})

    complaints = hook.check(functions, VERSIONS)

    assert [complaint.partition(":")[2] for complaint in complaints] == [
        "shopbot:9: GET /health could not be invoked (KeyError: 'arn:shopbot:9').",
        "shopbot:9: GET /chat/ui could not be invoked (KeyError: 'arn:shopbot:9').",
    ]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


def test_a_version_that_iam_does_not_know_yet_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("pre_traffic_check.hook.time.sleep", pauses.append)
    refusals = [refusal("AccessDeniedException")] * 2

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        if refusals:
            raise refusals.pop()
        return healthy(event)

    assert hook.check(FakeLambda({"arn:inventory:7": answer, "arn:shopbot:9": healthy}), VERSIONS) == []
    assert pauses == [2, 4]


@pytest.mark.parametrize(
    ("code", "waited"), [("AccessDeniedException", list(hook.PAUSES_SECONDS)), ("ResourceNotFoundException", [])]
)
def test_a_version_that_stays_refused_is_named(monkeypatch: pytest.MonkeyPatch, code: str, waited: list[int]) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("pre_traffic_check.hook.time.sleep", pauses.append)

    def refuse(_event: dict[str, Any]) -> dict[str, Any]:
        raise refusal(code)

    complaints = hook.check(FakeLambda({"arn:inventory:7": healthy, "arn:shopbot:9": refuse}), VERSIONS)

    assert [code in complaint for complaint in complaints] == [True, True]
    assert pauses == waited * 2


@pytest.mark.parametrize(("broken", "status"), [(False, "Succeeded"), (True, "Failed")])
def test_codedeploy_is_told(monkeypatch: pytest.MonkeyPatch, broken: bool, status: str) -> None:
    session = Session()
    session.set_credentials("key", "secret")
    codedeploy = session.create_client("codedeploy", region_name="us-east-1")
    functions = FakeLambda(dict.fromkeys(VERSIONS.values(), (lambda _: {}) if broken else healthy))
    monkeypatch.setattr(hook, "_client", lambda service: {"lambda": functions, "codedeploy": codedeploy}[service])
    for name, arn in VERSIONS.items():
        monkeypatch.setenv(name, arn)

    with Stubber(codedeploy) as stub:
        stub.add_response(
            "put_lifecycle_event_hook_execution_status",
            {"lifecycleEventHookExecutionId": "e-1"},
            {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status},
        )
        answer = hook.lambda_handler({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}, None)
        stub.assert_no_pending_responses()

    assert answer == {"status": status}


def test_the_functions_themselves_answer_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    import lambda_handler as shopbot
    from app import lambda_handler as inventory

    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)

    assert inventory.lambda_handler(hook.http_event("/", ""), None)["statusCode"] == 200
    for path, query in hook.REQUESTS["SHOPBOT_VERSION"]:
        assert shopbot.lambda_handler(hook.http_event(path, query), None)["statusCode"] == 200
