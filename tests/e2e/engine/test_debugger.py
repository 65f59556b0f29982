"""A debugger's client attached to `sam local invoke -d`: breakpoints are set by the paths of the developer's files."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import debugpy  # noqa: T100 its folder is copied, nothing is debugged here
import httpx
import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.debug_client import DebugClient
from tests.e2e.engine.sam import SOURCES, Bench, task_root, write_project

DEBUGGER = Path(debugpy.__file__).parent
LINE = 'return _answer(event=event, id=context.aws_request_id, arn=context.invoked_function_arn, version="one")'


def package(project: Path, port: int) -> list[str]:
    """The debugger is among the function's requirements."""
    copy_debugger(project / "code")
    return ["--debug-args", f"-m debugpy --listen 0.0.0.0:{port} --wait-for-client"]


def folder_of_its_own(project: Path, port: int) -> list[str]:
    """The debugger is in a folder that `sam` shows the function: that of the tools, as CONTRIBUTING.md has it."""
    arguments = f"/tmp/lambci_debug_files/debugpy --listen 0.0.0.0:{port} --wait-for-client"
    return ["--debugger-path", str(DEBUGGER.parent), "--debug-args", arguments]


def code(project: Path, port: int) -> list[str]:
    """The function starts the debugger itself."""
    copy_debugger(project / "code")
    source = project / "code" / SOURCES[0]
    listening = f'import debugpy\ndebugpy.listen(("0.0.0.0", {port}))\ndebugpy.wait_for_client()\n'
    source.write_text(listening + source.read_text())
    return []


def copy_debugger(folder: Path) -> None:
    shutil.copytree(DEBUGGER, folder / DEBUGGER.name, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize("started_by", [package, folder_of_its_own, code])
def test_a_breakpoint_is_hit_by_the_path_that_the_developer_sees(
    started_by: Callable[[Path, int], list[str]], bench: Bench, tmp_path: Path
) -> None:
    project, port = write_project(tmp_path, "Echo"), free_port()
    options = started_by(project, port)
    source, line = line_of(project)
    with ThreadPoolExecutor(1) as pool:
        invoking = pool.submit(bench.invoke, project, "Echo", '{"tea": "green"}', "-d", str(port), *options)
        stop_at(port, source, line, project)
        answer = invoking.result(60)
    assert json.loads(json.loads(answer.stdout)["body"])["event"] == {"tea": "green"}, answer.stderr


def test_requests_are_debugged_one_after_the_other(bench: Bench, tmp_path: Path) -> None:
    project, debugger, port = write_project(tmp_path, "Echo", "Second"), free_port(), free_port()
    options = ["-d", str(debugger), *folder_of_its_own(project, debugger)]
    sam = bench.start_api(project, port, "--warm-containers", "LAZY", "--debug-function", "Echo", *options)
    try:
        with ThreadPoolExecutor(2) as pool:
            requests = [pool.submit(httpx.get, f"http://127.0.0.1:{port}/echo", timeout=120) for _ in range(2)]
            source, line = line_of(project)
            stop_at(debugger, source, line, project, times=2)
            assert [each.result(60).status_code for each in requests] == [200, 200], sam.text
        assert httpx.get(f"http://127.0.0.1:{port}/second", timeout=60).status_code == 200, "others are not debugged"
    finally:
        sam.end(signal.SIGINT)  # `sam` takes SIGTERM for the end of an invocation while it debugs


def stop_at(port: int, source: Path, line: int, project: Path, times: int = 1) -> None:
    """Set a breakpoint by the path of a source; so many times see the function stop there, and let it go on."""
    mapping = {"localRoot": str(project / "code"), "remoteRoot": task_root(project)}
    with DebugClient(port) as client:
        client.ask("initialize", adapterID="tests", pathFormat="path")
        attaching = client.send("attach", pathMappings=[mapping])
        client.event("initialized")
        client.ask("setBreakpoints", source={"path": str(source)}, breakpoints=[{"line": line}])
        client.ask("configurationDone")
        client.response(attaching)
        for _ in range(times):
            stopped = client.event("stopped")
            assert stopped["reason"] == "breakpoint"
            (frame, *_) = client.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"]
            assert (frame["source"]["path"], frame["line"]) == (str(source), line)
            seen = client.ask("evaluate", expression="__file__", frameId=frame["id"])["result"]
            assert seen == f"'{task_root(project)}/{SOURCES[0]}'"
            client.ask("continue", threadId=stopped["threadId"])


def line_of(project: Path) -> tuple[Path, int]:
    """Return the file of Echo and the number of the line that answers."""
    source = project / "code" / SOURCES[0]
    (line,) = (number for number, text in enumerate(source.read_text().splitlines(), 1) if text.strip() == LINE)
    return source, line
