"""The check on a schedule asks what a caller sees, writes nothing, and ends with an error when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sam_template.repository import REPOSITORY
from synthetic_check import check
from tests.unit.pipeline.smoke.fake_shop import FakeShop, Reply
from tools.package_function import packaged_sources


def run(shop: FakeShop, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setenv("API_URL", shop.url)
    return check.lambda_handler({}, None)


def test_a_right_shop_passes_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    with FakeShop() as shop:
        answer = shop.reply

        def note(method: str, path: str, *more: Any) -> Reply:
            asked.append((method, path))
            return answer(method, path, *more)

        monkeypatch.setattr(shop, "reply", note)
        assert run(shop, monkeypatch) == {"passed": len(check.CHECKS)}
    assert {method for method, _ in asked} == {"GET"}
    assert not [path for _, path in asked if path in ("/chat", "/products/search")], "each asks for money"


def test_what_is_wrong_ends_the_invocation_with_every_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: dict[str, Reply] = {
        "GET /health": (500, {}, {"message": "no"}),
        "GET /openapi.json": (200, {}, {"paths": {}}),
    }
    with FakeShop(wrong) as shop, pytest.raises(check.SyntheticCheckError, match=r"alive: .*500.* described: "):
        run(shop, monkeypatch)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_a_shop_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeShop() as shop:
        pass
    with pytest.raises(check.SyntheticCheckError, match="alive: "):
        run(shop, monkeypatch)


def test_its_package_holds_what_it_imports(tmp_path: Path) -> None:
    for place, source in packaged_sources(REPOSITORY / "synthetic_check").items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(source.read_bytes())
    alone = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import check"]
    assert subprocess.run(alone, check=False, cwd=tmp_path, capture_output=True, text=True).stderr == ""
    assert not (tmp_path / "pipeline" / "deployment.py").exists()
