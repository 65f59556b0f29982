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
    def describe_stacks(self, **_: str) -> Any:
        outputs = {"ApiUrl": "https://api.example", "SecretArn": "arn:secret"}
        listed = [{"OutputKey": key, "OutputValue": text} for key, text in outputs.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": listed}]}


class Secrets:
    def __init__(self, text: str = "", **members: str) -> None:
        self._text = text or json.dumps(members)

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 (boto3's name)
        assert SecretId == "arn:secret"
        return {"SecretString": self._text}


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
    verify(STAGE, Account(), Secrets(INVENTORY_API_KEY="right"))
    assert (run[0]["url"], run[0]["key"]) == ("https://api.example", "right")
    assert "right" not in run[0]["command"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("declared", "given"), [("*", None), ("https://shop.example", "https://shop.example")])
def test_the_stages_own_origin_is_checked(run: list[dict[str, Any]], declared: str, given: str | None) -> None:
    stage = Stage("prod", "shop-prod", "us-east-1", {"CorsAllowedOrigin": declared})
    verify(stage, Account(), Secrets(INVENTORY_API_KEY="right"))
    assert run[0]["origin"] == given


def test_github_is_told_to_hide_it(
    run: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    verify(STAGE, Account(), Secrets(INVENTORY_API_KEY="right"))
    assert capsys.readouterr().out == "::add-mask::right\n"


def test_a_smoke_test_that_fails_is_said_with_the_way_back(run: list[dict[str, Any]]) -> None:
    with pytest.raises(DeploymentError, match="`make rollback STAGE=staging`"):
        verify(STAGE, Account(), Secrets(INVENTORY_API_KEY="wrong"))


@pytest.mark.parametrize("text", ['{"ES_API_KEY": "…"}', '{"INVENTORY_API_KEY": ""}', '["s3cr3t"]', "s3cr3t"])
def test_a_secret_without_the_key_is_said(run: list[dict[str, Any]], text: str) -> None:
    with pytest.raises(DeploymentError, match="has no INVENTORY_API_KEY") as said:
        verify(STAGE, Account(), Secrets(text))
    assert "s3cr3t" not in "".join(traceback.format_exception(said.value))
    assert run == []
