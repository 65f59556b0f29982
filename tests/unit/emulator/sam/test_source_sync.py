"""A saved source is in the build at once, with bytecode of its own; a deleted one is gone."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from watchdog.observers.api import EventEmitter

from emulator.project.packaged_sources import Packaging
from emulator.sam.source_sync import BuiltFunction, SourceSync


@pytest.fixture
def function(tmp_path: Path) -> BuiltFunction:
    (tmp_path / "sources/app").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "sources/app/handler.py").write_text("VALUE = 1\n")
    return BuiltFunction(tmp_path / "sources", tmp_path / "build", Path(sys.executable), Packaging(("lambda_http",)))


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


SLOW_COMPILER = """#!{python}
import importlib.util, os, py_compile, sys, time

for source in sys.stdin.read().splitlines():
    read = source + ".read"
    with open(source) as file, open(read, "w") as copy:
        copy.write(file.read())
    time.sleep(0.5)
    bytecode, mode = importlib.util.cache_from_source(source), py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(read, bytecode, source, invalidation_mode=mode)
    os.unlink(read)
"""


def test_saves_that_follow_each_other_closely_leave_the_bytecode_of_the_last(
    function: BuiltFunction, tmp_path: Path
) -> None:
    slow = tmp_path / "slow-python"
    slow.write_text(SLOW_COMPILER.format(python=sys.executable))
    slow.chmod(0o755)
    function.interpreter = slow
    with ThreadPoolExecutor(2) as saves:
        syncs = []
        for number in range(2):
            (function.sources / "app/handler.py").write_text(f"VALUE = {number}\n")
            syncs.append(saves.submit(function.sync))
            time.sleep(0.2)  # the first is being compiled
            function.interpreter = Path(sys.executable)  # and the second compiles faster
        for sync in syncs:
            sync.result()
    shown = [sys.executable, "-B", "-c", "from app.handler import VALUE; print(VALUE)"]
    assert subprocess.run(shown, cwd=function.build, capture_output=True, text=True, check=True).stdout == "1\n"


def test_another_file_of_the_same_name_leaves_the_bytecode(function: BuiltFunction) -> None:
    function.sync()
    before = bytecode(function)
    (function.sources / "app/handler.json").write_text("{}")
    assert function.sync() == [Path("app/handler.json")]
    assert bytecode(function) == before != []


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


def test_what_the_system_refuses_to_watch_is_said_with_the_remedy(
    function: BuiltFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(EventEmitter, "start", refuse)
    with SourceSync([function]) as source_sync:
        assert "start again after each change" in source_sync.failure
        assert "sudo sysctl fs.inotify.max_user_instances=" in source_sync.failure
    assert (function.build / "app/handler.py").read_text() == "VALUE = 1\n", "what is new at the start is there"


def follows(built: Path, text: str) -> bool:
    deadline = time.monotonic() + 60
    while built.read_text() != text:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
