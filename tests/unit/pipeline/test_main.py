"""What goes wrong in a step is one line with its remedy, and a status that stops the pipeline."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from pipeline import __main__ as program
from pipeline.stages import DeploymentError

DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "DescribeStacks")


@pytest.mark.parametrize("step", ["adopt", "deploy", "preview", "remove", "rollback", "sync", "verify"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DeploymentError("There is no package: run `make package`."), "There is no package: run `make package`."),
        (DENIED, "check the credentials"),
        (NoCredentialsError(), "check the credentials"),
    ],
)
def test_an_error_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str, error: Exception, said: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(program, step, fail)
    monkeypatch.setattr("sys.argv", ["pipeline", step, "staging"])
    assert program.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_the_region_of_a_stage_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["pipeline", "region", "staging"])
    assert program.main() == 0
    assert capsys.readouterr().out == "us-east-1\n"


@pytest.mark.parametrize("text", ["ShopInventory", "=x", "ShopInventory= DataBucket=b"])
def test_what_names_no_resources_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setattr("sys.argv", ["pipeline", "adopt", "prod", "--resources", text])
    assert program.main() == 1
    assert f"{text!r} names no resources: say RESOURCES=" in capsys.readouterr().err


def test_what_is_adopted_is_told_with_what_comes_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "adopt", lambda _stage, _clients, names: names)
    monkeypatch.setattr("sys.argv", ["pipeline", "adopt", "prod", "--resources", "ShopInventory=a DataBucket=b"])
    assert program.main() == 0
    told = capsys.readouterr().out
    assert (
        told == "shop-prod has again\n  ShopInventory: a\n  DataBucket: b\n`make deploy STAGE=prod` makes the rest.\n"
    )
