"""The smoke test gets the stage's key in its environment, and nobody else gets it."""

from __future__ import annotations

import json
import subprocess
import traceback
from typing import Any

import pytest

from pipeline.stages import DeploymentError, Stage
from pipeline.verification import verify

STAGE = Stage("staging", "shop-staging", "us-east-1", {})


class Account:
    """AWS with the stage's stack, its secret and the subscribers of its alarms."""

    def __init__(self, text: str = "", *subscribers: tuple[str, str], **members: str) -> None:
        self._text = text or json.dumps(members)
        self._subscribers = subscribers

    def __call__(self, _service: str) -> Account:
        return self

    def describe_stacks(self, **_: str) -> Any:
        outputs = {"ApiUrl": "https://api.example", "ApiKeySecretArn": "arn:secret", "AlarmTopicArn": "arn:topic"}
        listed = [{"OutputKey": key, "OutputValue": text} for key, text in outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 (boto3's name)
        assert SecretId == "arn:secret"
        return {"SecretString": self._text}

    def get_paginator(self, operation: str) -> Account:
        assert operation == "list_subscriptions_by_topic"
        return self

    def paginate(self, *, TopicArn: str) -> Any:  # noqa: N803
        assert TopicArn == "arn:topic"
        yield {"Subscriptions": [{"Endpoint": who, "SubscriptionArn": arn} for who, arn in self._subscribers]}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def fake(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        calls.append({"url": command[-1], "key": env["INVENTORY_API_KEY"], "command": command})
        calls[-1]["origin"] = env.get("CORS_ORIGIN")
        return subprocess.CompletedProcess(command, 1 if env["INVENTORY_API_KEY"] == "wrong" else 0)

    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return calls


def test_the_key_goes_to_the_smoke_test_alone(run: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    verify(STAGE, Account(INVENTORY_API_KEY="right"))
    assert (run[0]["url"], run[0]["key"]) == ("https://api.example", "right")
    assert "right" not in run[0]["command"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("declared", "given"), [("*", None), ("https://shop.example", "https://shop.example")])
def test_the_stages_own_origin_is_checked(run: list[dict[str, Any]], declared: str, given: str | None) -> None:
    stage = Stage("prod", "shop-prod", "us-east-1", {"CorsAllowedOrigin": declared})
    verify(stage, Account(INVENTORY_API_KEY="right"))
    assert run[0]["origin"] == given


def test_github_is_told_to_hide_it(
    run: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    verify(STAGE, Account(INVENTORY_API_KEY="right"))
    assert capsys.readouterr().out == "::add-mask::right\n"


def test_a_smoke_test_that_fails_is_said_with_the_way_back(run: list[dict[str, Any]]) -> None:
    with pytest.raises(DeploymentError, match="`make rollback STAGE=staging`"):
        verify(STAGE, Account(INVENTORY_API_KEY="wrong"))


@pytest.mark.parametrize("text", ['{"ES_API_KEY": "…"}', '{"INVENTORY_API_KEY": ""}', '["s3cr3t"]', "s3cr3t"])
def test_a_secret_without_the_key_is_said(run: list[dict[str, Any]], text: str) -> None:
    with pytest.raises(DeploymentError, match="has no INVENTORY_API_KEY") as said:
        verify(STAGE, Account(text))
    assert "s3cr3t" not in "".join(traceback.format_exception(said.value))
    assert run == []


def test_a_subscription_that_nobody_has_confirmed_is_said(
    run: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    subscribers = (("on-call@shop.example", "PendingConfirmation"), ("night@shop.example", "arn:confirmed"))
    verify(STAGE, Account('{"INVENTORY_API_KEY": "right"}', *subscribers))
    assert capsys.readouterr().out == (
        "on-call@shop.example hears of no alarm until somebody follows the link that SNS sent there.\n"
    )
