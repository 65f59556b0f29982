"""The inventory's document is the released one; a break is refused until somebody says that it is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import released_openapi
from pipeline.released_openapi import RELEASED, current_document, main
from sam_template.repository import REPOSITORY

OLD: dict[str, Any] = {"paths": {"/": {"get": {"description": "Old.", "responses": {}}}}}
BROKEN: dict[str, Any] = {"paths": {}}
GROWN: dict[str, Any] = {"paths": {**OLD["paths"], "/new": {}}}
REWORDED: dict[str, Any] = {"paths": {"/": {"get": {"description": "New.", "responses": {}}}}}


@pytest.fixture
def released(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.json"
    path.write_text(json.dumps(OLD))
    return path


def run(released: Path, current: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(released_openapi, "current_document", lambda: current)
    monkeypatch.setattr("sys.argv", ["released_openapi", "--released", str(released), *options])
    return main()


def test_the_document_of_the_function_is_the_released_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert "/inventory/{sku}" in current_document()["paths"]
    assert run(REPOSITORY / RELEASED, current_document(), monkeypatch) == 0


def test_a_break_is_refused_and_not_written(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ([], ["--write"]):
        assert run(released, BROKEN, monkeypatch, *options) == 1
        assert capsys.readouterr().err.startswith("/: the path is gone\nClients break")
    assert json.loads(released.read_text()) == OLD


def test_a_break_that_is_meant_is_written(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(released, BROKEN, monkeypatch, "--write", "--breaking") == 0
    assert json.loads(released.read_text()) == BROKEN


def test_what_the_api_gained_is_released_too(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(released, GROWN, monkeypatch) == 1
    assert "`make openapi`" in capsys.readouterr().err
    assert run(released, GROWN, monkeypatch, "--write") == 0
    assert run(released, GROWN, monkeypatch) == 0


def test_prose_may_change(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(released, REWORDED, monkeypatch) == 0
