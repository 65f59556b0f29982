"""A saved source is in the build at once, with bytecode of its own; a deleted one is gone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from emulator.source_sync import BuiltFunction, SourceSync


@pytest.fixture
def function(tmp_path: Path) -> BuiltFunction:
    (tmp_path / "sources/app").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "sources/app/handler.py").write_text("VALUE = 1\n")
    return BuiltFunction(tmp_path / "sources", tmp_path / "build", Path(sys.executable))


def bytecode(function: BuiltFunction) -> list[Path]:
    return list((function.build / "app/__pycache__").glob("handler.*.pyc"))


def test_what_changed_is_copied_and_compiled_and_nothing_else(function: BuiltFunction) -> None:
    assert function.sync() == [Path("app/handler.py")]
    assert (function.build / "app/handler.py").read_text() == "VALUE = 1\n"
    before = [path.read_bytes() for path in bytecode(function)]
    assert function.sync() == []
    (function.sources / "app/handler.py").write_text("VALUE = 22\n")
    assert function.sync() == [Path("app/handler.py")]
    assert [path.read_bytes() for path in bytecode(function)] != before


def test_a_source_that_does_not_compile_leaves_no_stale_bytecode(function: BuiltFunction) -> None:
    function.sync()
    (function.sources / "app/handler.py").write_text("VALUE = (\n")
    function.sync()
    assert bytecode(function) == []


def test_a_deleted_source_leaves_the_build_and_its_bytecode_too(function: BuiltFunction) -> None:
    function.sync()
    (function.build / "dependency.py").write_text("")
    (function.sources / "app/handler.py").unlink()
    assert function.sync() == [Path("app/handler.py")]
    assert not (function.build / "app/handler.py").exists()
    assert bytecode(function) == []
    assert (function.build / "dependency.py").exists()


def test_a_save_is_followed_while_the_sources_are_watched(function: BuiltFunction) -> None:
    with SourceSync([function]):
        (function.sources / "app/handler.py").write_text("VALUE = 333\n")
        assert follows(function.build / "app/handler.py", "VALUE = 333\n")


def test_a_save_in_a_package_that_the_function_imports_is_followed(function: BuiltFunction) -> None:
    shared = function.sources.parent / "lambda_http" / "problem.py"
    shared.parent.mkdir()
    shared.write_text("VALUE = 1\n")
    (function.sources / "app/handler.py").write_text("from lambda_http import problem\n")
    with SourceSync([function]):
        assert (function.build / "lambda_http/problem.py").read_text() == "VALUE = 1\n"
        shared.write_text("VALUE = 22\n")
        assert follows(function.build / "lambda_http/problem.py", "VALUE = 22\n")


def follows(built: Path, text: str) -> bool:
    deadline = time.monotonic() + 10
    while built.read_text() != text:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
