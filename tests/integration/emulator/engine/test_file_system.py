"""What a function sees of the file system, in a real environment: Lambda's places, and this machine's untouched."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulator.engine import Engine
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation
from emulator.engine.log_stream import LogStream
from emulator.engine.running_function import RunningFunction
from sam_template.repository import INSTALLED
from tests.e2e.engine.sam import has_own_file_system

SOURCE = """
import ctypes, errno, mmap, os, shutil, socket, subprocess, sys, time
from pathlib import Path

def handler(event, context):
    try:
        return eval(event["expression"])
    except OSError as error:
        return {"errno": error.errno}

def write_blocks(path, mebibytes):
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(bytes(1024 * 1024))
    return os.path.getsize(path)

def touch_mapped(path, mebibytes):
    write_blocks(path, mebibytes)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        total = sum(mapped[:: mmap.PAGESIZE])
        time.sleep(1)
    return total

def fail():
    raise ValueError("out of tea")
"""
MOUNTS = Path("/proc/self/mountinfo")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """This machine is after a test what it was before."""
    if not has_own_file_system():
        pytest.skip("no mount namespace can be had here")
    places = [Path(name) for name in ("/var/task", "/var/runtime", "/var/rapid", "/opt/python", "/tmp/mine")]
    before = MOUNTS.read_text(), [place.exists() for place in places], sorted(Path("/opt").iterdir())
    yield
    assert (MOUNTS.read_text(), [place.exists() for place in places], sorted(Path("/opt").iterdir())) == before


@pytest.fixture
def function(tmp_path: Path) -> Function:
    code = tmp_path / "code"
    code.mkdir()
    (code / "functions.py").write_text(SOURCE)
    variables = {"AWS_LAMBDA_FUNCTION_NAME": "Function", "AWS_LAMBDA_FUNCTION_TIMEOUT": "30"}
    return Function("python3.13", "functions.handler", code, variables, "127.0.0.1", 1)


class Asked:
    """A running function that evaluates expressions."""

    def __init__(self, engine: Engine, running: RunningFunction, log: LogStream) -> None:
        self.engine = engine
        self.running = running
        self.log = log

    async def value(self, expression: str) -> Any:
        event = json.dumps({"expression": expression}).encode()
        outcome = await self.running.invoke(Invocation(event, 30, self.running.function.arn, self.log))
        answer = json.loads(outcome.payload)
        if outcome.is_error:
            raise AssertionError(answer)
        return answer


def run(folder: Path, function: Function, scenario: Callable[[Asked], Awaitable[None]]) -> None:
    async def prepared() -> None:
        engine = Engine(folder / "run" / "engine.sock", installed=INSTALLED)
        await engine.start()
        try:
            assert await engine.notes() == []
            log = LogStream()
            running = engine.functions.hold(function, log)
            try:
                await scenario(Asked(engine, running, log))
            finally:
                await engine.functions.let_go(running, log)
        finally:
            await engine.stop()

    before = psutil.Process().children(recursive=True)
    asyncio.run(prepared())
    assert set(psutil.Process().children(recursive=True)) <= set(before)


def values(folder: Path, function: Function, *expressions: str) -> list[Any]:
    found: list[Any] = []

    async def scenario(asked: Asked) -> None:
        for expression in expressions:
            found.append(await asked.value(expression))  # noqa: PERF401

    run(folder, function, scenario)
    return found


def test_the_code_is_at_var_task_and_cannot_be_written_to(tmp_path: Path, function: Function) -> None:
    seen = values(
        tmp_path,
        function,
        "[os.getcwd(), __file__, sys.path[0], os.environ['LAMBDA_TASK_ROOT'], os.environ['LAMBDA_RUNTIME_DIR']]",
        "os.listdir('/var/task')",
        "write_blocks('/var/task/new', 1)",
        "write_blocks('/new', 1)",
        "write_blocks('/var/new', 1)",
    )
    assert seen[0] == ["/var/task", "/var/task/functions.py", "/var/task", "/var/task", "/var/runtime"]
    assert seen[1] == ["functions.py"]
    assert seen[2:] == [{"errno": errno.EROFS}] * 3


def test_a_stack_trace_says_var_task(tmp_path: Path, function: Function) -> None:
    with pytest.raises(AssertionError, match=r'File "/var/task/functions.py", line \d+, in fail'):
        values(tmp_path, function, "fail()")


def test_a_saved_file_is_seen_at_once(tmp_path: Path, function: Function) -> None:
    async def scenario(asked: Asked) -> None:
        assert await asked.value("os.path.exists('added.txt')") is False
        (function.task_root / "added.txt").write_text("saved")
        assert await asked.value("Path('added.txt').read_text()") == "saved"

    run(tmp_path, function, scenario)


def test_tmp_is_its_own_and_empty_and_has_the_size_of_the_template(tmp_path: Path, function: Function) -> None:
    seen = values(
        tmp_path,
        replace(function, temp_mebibytes=3),
        "[os.listdir('/tmp'), __import__('tempfile').gettempdir(), os.environ.get('TMPDIR')]",
        "write_blocks('/tmp/mine', 2)",
        "write_blocks('/tmp/more', 2)",
        "os.listdir('/tmp')",
    )
    assert seen[0] == [[], "/tmp", None]
    assert seen[1] == 2 * 1024 * 1024
    assert seen[2] == {"errno": errno.ENOSPC}
    assert sorted(seen[3]) == ["mine", "more"], "it lasts as long as the environment"


def test_tmp_has_512_megabytes_by_default(tmp_path: Path, function: Function) -> None:
    size = "[s.f_frsize * s.f_blocks for s in [os.statvfs('/tmp')]][0]"
    assert values(tmp_path, function, size) == [512 * 1024 * 1024]


def test_files_of_tmp_are_not_the_functions_memory(tmp_path: Path, function: Function) -> None:
    limited = replace(function, variables={**function.variables, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"})
    written, mapped, still_the_same = values(
        tmp_path,
        limited,
        "(write_blocks('/tmp/a', 200), os.getpid())",
        "(touch_mapped('/tmp/b', 200), os.getpid())",
        "os.getpid()",
    )
    assert written[0] == 200 * 1024 * 1024
    assert written[1] == mapped[1] == still_the_same


def test_layers_are_at_opt_in_order_and_cannot_be_written_to(tmp_path: Path, function: Function) -> None:
    first, last = tmp_path / "first", tmp_path / "last"
    for layer, files in ((first, ("python/one.py", "bin/tool", "data/a.txt")), (last, ("python/one.py", "data/b.txt"))):
        for name in files:
            (layer / name).parent.mkdir(parents=True, exist_ok=True)
            (layer / name).write_text(
                f"#!/bin/sh\necho {layer.name}\n" if name == "bin/tool" else f"VALUE = '{layer.name}'"
            )
            (layer / name).chmod(0o755)

    async def scenario(asked: Asked) -> None:
        merged = asked.engine.layers.merged([first, last])
        assert merged == asked.engine.layers.merged([first, last]), "once for each content"
        assert merged != asked.engine.layers.merged([last, first])
        log = LogStream()
        running = asked.engine.functions.hold(replace(function, layers=(merged,)), log)
        layered = Asked(asked.engine, running, log)
        assert await layered.value("__import__('one').VALUE") == "last"
        assert await layered.value("__import__('one').__file__") == "/opt/python/one.py"
        assert await layered.value("sorted(os.listdir('/opt/data'))") == ["a.txt", "b.txt"]
        assert await layered.value("subprocess.run(['tool'], capture_output=True, text=True).stdout") == "first\n"
        assert await layered.value("'/opt/lib' in os.environ['LD_LIBRARY_PATH'].split(':')")
        assert await layered.value("write_blocks('/opt/new', 1)") == {"errno": errno.EROFS}
        await asked.engine.functions.let_go(running, log)
        assert await asked.value("os.listdir('/opt')") == [], "a function without layers has none"

    run(tmp_path, function, scenario)


def test_host_names_are_found_as_in_a_container(tmp_path: Path, function: Function) -> None:
    named = replace(function, hosts=("10.1.2.3 shop.test",), nameservers=("192.0.2.1",))
    seen = values(
        tmp_path,
        named,
        "[socket.gethostbyname(name) for name in ('shop.test', 'host.docker.internal')]",
        "Path('/etc/resolv.conf').read_text()",
        "Path('/etc/hosts').read_text()",
    )
    assert seen[0] == ["10.1.2.3", "127.0.0.1"]
    assert seen[1] == "nameserver 192.0.2.1\n"
    assert seen[2].endswith(Path("/etc/hosts").read_text()), "this machine's names stay"


def test_a_bind_of_sam_is_where_sam_says(tmp_path: Path, function: Function) -> None:
    (tmp_path / "debugger").mkdir()
    (tmp_path / "debugger" / "tool.py").write_text("")
    bound = replace(function, binds=(("/tmp/lambci_debug_files", str(tmp_path / "debugger")),))
    assert values(tmp_path, bound, "os.listdir('/tmp/lambci_debug_files')") == [["tool.py"]]


def test_what_a_link_beside_the_code_leads_to_is_found(tmp_path: Path, function: Function) -> None:
    for name in ("shared", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text.txt").write_text(name)
    (function.task_root / "relative").symlink_to("../shared")
    (function.task_root / "absolute").symlink_to(tmp_path / "other")
    (function.task_root / "broken").symlink_to("../nowhere")
    (function.task_root / "inside").symlink_to("functions.py")
    # Where it would have to be made on this machine it is left out.
    (function.task_root / "far").symlink_to("../lib/of-nobody")
    seen = values(
        tmp_path,
        function,
        "[Path(name, 'text.txt').read_text() for name in ('relative', 'absolute')]",
        "[os.path.exists(name) for name in ('inside', 'broken', 'far')]",
    )
    assert seen == [["shared", "other"], [True, False, False]]
    assert not Path("/var/lib/of-nobody").exists()


def test_certificates_that_a_variable_names_stay_visible(
    tmp_path: Path, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text("certificates")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert values(tmp_path, function, "Path(os.environ['SSL_CERT_FILE']).read_text()") == ["certificates"]


def test_each_environment_has_its_own(tmp_path: Path, function: Function) -> None:
    async def scenario(asked: Asked) -> None:
        other = asked.engine.functions.hold(replace(function, memory_is_limited=False), asked.log)
        beside = Asked(asked.engine, other, asked.log)
        await asked.value("write_blocks('/tmp/mine', 1)")
        assert await beside.value("os.listdir('/tmp')") == []
        await asked.engine.functions.let_go(other, asked.log)

    run(tmp_path, function, scenario)


def test_a_launcher_that_was_killed_is_replaced(tmp_path: Path, function: Function) -> None:
    async def scenario(asked: Asked) -> None:
        pid = await asked.value("os.getpid()")
        psutil.Process(await asked.value("os.getppid()")).kill()
        for _ in range(600):
            if not psutil.pid_exists(pid):
                break
            await asyncio.sleep(0.1)
            asked.running.tenants.maintain()
        assert await asked.value("os.getpid()") != pid

    run(tmp_path, function, scenario)


def test_a_signal_that_ends_the_process_is_told(tmp_path: Path, function: Function) -> None:
    with pytest.raises(AssertionError, match="signal: terminated"):
        values(tmp_path, function, "os.kill(os.getpid(), 15)")
