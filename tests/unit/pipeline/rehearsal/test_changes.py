"""Changes are made to a copy of the build; the build stays as it is."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.rehearsal.changes import IMPOSSIBLE, TAKEN_PERMISSION, ChangedBuild
from pipeline.rehearsal.errors import RehearsalError

TEMPLATE = """
Resources:
  InventoryFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: InventoryFunction
      Handler: app.handler.answer
      AutoPublishAlias: live
      Policies:
        - Statement:
            - {Effect: Allow, Action: [dynamodb:PutItem, dynamodb:DeleteItem], Resource: !GetAtt Table.Arn}
"""
SOURCE = "def answer(event, context):\n    return {'statusCode': 200}\n"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    code = tmp_path / "build" / "InventoryFunction" / "app"
    (code / "__pycache__").mkdir(parents=True)
    (code / "handler.py").write_text(SOURCE)
    (code / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"stale")
    (tmp_path / "build" / "template.yaml").write_text(TEMPLATE)
    return tmp_path / "build"


def test_changed_code_answers_with_a_header_of_its_own(build: Path, tmp_path: Path) -> None:
    ChangedBuild(build, tmp_path / "changed").change_code("changed")
    source = tmp_path / "changed" / "InventoryFunction" / "app" / "handler.py"
    specification = importlib.util.spec_from_file_location("changed_handler", source)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.answer({}, None) == {"statusCode": 200, "headers": {"x-rehearsal": "changed"}}


def test_bytecode_of_changed_code_is_gone(build: Path, tmp_path: Path) -> None:
    ChangedBuild(build, tmp_path / "changed").change_code("changed")
    assert not list((tmp_path / "changed").rglob("*.pyc"))


def test_the_build_itself_stays_as_it_is(build: Path, tmp_path: Path) -> None:
    changed = ChangedBuild(build, tmp_path / "changed")
    changed.change_code("changed")
    changed.take_permission()
    changed.add_impossible_resource()
    changed.write()
    assert (build / "template.yaml").read_text() == TEMPLATE
    assert (build / "InventoryFunction" / "app" / "handler.py").read_text() == SOURCE
    assert len(list(build.rglob("*.pyc"))) == 1


def test_one_permission_is_taken_and_the_others_stay(build: Path, tmp_path: Path) -> None:
    changed = ChangedBuild(build, tmp_path / "changed")
    changed.take_permission()
    (statement,) = resources(changed)["InventoryFunction"]["Properties"]["Policies"][0]["Statement"]
    assert statement["Action"] == ["dynamodb:PutItem"]
    assert statement["Resource"] == {"Fn::GetAtt": ["Table", "Arn"]}
    with pytest.raises(RehearsalError, match=TAKEN_PERMISSION):
        changed.take_permission()


def test_the_impossible_resource_comes_after_every_new_version(build: Path, tmp_path: Path) -> None:
    changed = ChangedBuild(build, tmp_path / "changed")
    changed.add_impossible_resource()
    assert resources(changed)[IMPOSSIBLE]["DependsOn"] == ["InventoryFunctionAliaslive"]


def resources(changed: ChangedBuild) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(changed.write().read_text())["Resources"]
    return written
