"""Functions that run in real processes, held by one or by several who invoke them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from emulator import event_loop
from emulator.engine import Engine, invoker
from emulator.engine.environment import InitFailedError
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.log_stream import LogStream
from emulator.engine.running_function import RunningFunction
from emulator.metrics import import_times
from sam_template.repository import INSTALLED

SOURCE = """
import os, signal, socket, time
print("imported")
if "ENDS_POLITELY" in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: (print("goodbye"), os._exit(0)))
def handler(event, context):
    print("handled", event.get("name"))
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("seconds", 0))
    if "meets_at" in event:
        socket.create_connection(("127.0.0.1", event["meets_at"])).recv(1)
    return {"pid": os.getpid()}
"""


class Lines(LogStream):
    """A log whose lines a test reads."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def write_line(self, line: bytes) -> None:
        super().write_line(line)
        self.lines.append(line.decode().rstrip("\n"))


@pytest.fixture
def function(tmp_path: Path) -> Function:
    code = tmp_path / "code"
    code.mkdir()
    (code / "functions.py").write_text(SOURCE)
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "Function",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "5",
        "AWS_LAMBDA_MAX_CONCURRENCY": "8",
    }
    return Function("python3.13", "functions.handler", code, variables, "127.0.0.1", 1)


def run(folder: Path, scenario: Callable[[Engine], Awaitable[None]]) -> None:
    async def prepared() -> None:
        engine = Engine(folder / "run" / "engine.sock", installed=INSTALLED)
        await engine.start()
        try:
            await scenario(engine)
        finally:
            await engine.stop()

    before = psutil.Process().children(recursive=True)
    event_loop.run(prepared())
    assert set(psutil.Process().children(recursive=True)) <= set(before)


async def invoke(running: RunningFunction, log: LogStream, *, timeout_seconds: int = 5, **event: object) -> Outcome:
    invocation = Invocation(json.dumps(event).encode(), timeout_seconds, running.function.arn, log)
    return await running.invoke(invocation)


def test_two_who_describe_a_function_alike_share_its_environments(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        first, second = Lines(), Lines()
        one = engine.functions.hold(function, first)
        other = engine.functions.hold(replace(function, port=2), second)
        assert one is other
        await one.start()
        assert json.loads((await invoke(one, first, name="a")).payload) == json.loads(
            (await invoke(other, second, name="b")).payload
        )
        await asyncio.sleep(0.05)
        # What belongs to an invocation is in its own log alone.
        assert "handled a" in first.lines
        assert "handled a" not in second.lines
        assert "handled b" in second.lines
        assert sum(line.startswith("REPORT") for line in first.lines + second.lines) == 2
        await engine.functions.let_go(one, first)
        assert json.loads((await invoke(other, second)).payload)["pid"]
        await engine.functions.let_go(other, second)

    run(tmp_path, scenario)


def test_a_difference_in_a_variable_is_another_function(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        variables = {**function.variables, "MORE": "yes"}
        one, other = (engine.functions.hold(each, log) for each in (function, replace(function, variables=variables)))
        assert one is not other
        for running in (one, other):
            await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_an_answer_does_not_wait_for_the_report(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        await invoke(running, log, name="a")
        assert [line.split()[0] for line in log.lines if line != "imported"] == ["START", "handled"]
        await asyncio.sleep(0)
        assert [line.split()[0] for line in log.lines if line != "imported"] == ["START", "handled", "END", "REPORT"]
        assert re.search(r"Init Duration: \d+\.\d\d ms", log.lines[-1])
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_a_function_without_signal_handlers_waits_without_a_thread_for_each_event(
    tmp_path: Path, function: Function
) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        process = psutil.Process(json.loads((await invoke(running, log)).payload)["pid"])
        for _ in range(50):
            assert process.num_threads() <= 2  # its own, and the one that notices the end of the engine
            await asyncio.sleep(0.01)
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_a_function_s_signal_handler_runs_while_it_waits_for_an_event(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(replace(function, variables={**function.variables, "ENDS_POLITELY": "1"}), log)
        await running.start()
        pid = json.loads((await invoke(running, log)).payload)["pid"]
        await asyncio.sleep(0.2)  # by then it waits
        os.kill(pid, signal.SIGTERM)
        async with asyncio.timeout(60):
            while "goodbye" not in log.lines:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_an_environment_that_ended_is_replaced(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        before = json.loads((await invoke(running, log)).payload)["pid"]
        outcome = await invoke(running, log, exit=True)
        assert outcome.is_error
        assert b"exit status 3" in outcome.payload
        after = json.loads((await invoke(running, log)).payload)["pid"]
        assert after != before
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_what_a_function_did_is_counted_across_its_environments(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        for exits in (False, False, True, False):
            await invoke(running, log, exit=exits)
        await asyncio.sleep(0)
        await engine.functions.let_go(running, log)
        metrics = engine.functions.metrics.function("Function")
        assert (metrics.invocations, metrics.errors, metrics.timeouts) == (4, 1, 0)
        assert metrics.inits.count == 2
        assert metrics.warm.count == 1, "the first of each environment is cold, and the one that failed is no answer"
        assert metrics.billed_ms >= metrics.inits.total, "init is billed"
        assert metrics.peak_memory > 1024 * 1024

    run(tmp_path, scenario)


def test_an_invocation_that_takes_too_long_is_counted_as_a_timeout(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        await running.invoke(Invocation(b'{"seconds": 60}', 1, function.arn, log))
        await asyncio.sleep(0)
        metrics = engine.functions.metrics.function("Function")
        assert (metrics.invocations, metrics.errors, metrics.timeouts) == (1, 1, 1)
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_an_init_that_failed_is_counted_and_its_imports_cannot_be_timed(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(replace(function, handler="missing.handler"), log)
        await running.start()
        metrics = engine.functions.metrics.function("Function")
        assert (metrics.inits.count, metrics.failed_inits) == (0, 1)
        with pytest.raises(InitFailedError):
            await engine.functions.time_imports("Function")
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_the_imports_of_an_init_are_timed_in_an_environment_of_their_own(tmp_path: Path, function: Function) -> None:
    (function.task_root / "prices.py").write_text("import colorsys\n")
    (function.task_root / "functions.py").write_text(f"import prices\n{SOURCE}")

    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        lines = await engine.functions.time_imports("Function")
        modules = {imported.module: imported for imported in import_times.read(lines)}
        assert [child.module for child in modules["prices"].children] == ["colorsys"]
        assert log.lines == [], "nothing of it is in the function's log"
        assert engine.functions.metrics.function("Function").inits.count == 0
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_an_engine_that_stops_ends_what_somebody_still_holds(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        pid = json.loads((await invoke(running, log)).payload)["pid"]
        await engine.stop()
        assert not psutil.pid_exists(pid)
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_what_runs_when_the_last_holder_leaves_ends_with_an_error(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        await running.start()
        under_way = asyncio.create_task(invoke(running, log, seconds=4))
        await asyncio.sleep(0.2)
        await engine.functions.let_go(running, log)
        assert (await asyncio.wait_for(under_way, 60)).is_error

    run(tmp_path, scenario)


def test_invocations_run_side_by_side_without_a_variable_of_the_template(tmp_path: Path, function: Function) -> None:
    variables = {name: value for name, value in function.variables.items() if name != "AWS_LAMBDA_MAX_CONCURRENCY"}

    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(replace(function, variables=variables), log)
        await running.start()
        assert log.lines.count("imported") == 1, "nothing says that a second one will be needed"
        both = asyncio.Barrier(2)

        async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await both.wait()
            writer.close()

        async with await asyncio.start_server(meet, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            invocations = (invoke(running, log, timeout_seconds=60, meets_at=port) for _ in range(2))
            outcomes = await asyncio.gather(*invocations)
        first, second = (json.loads(outcome.payload)["pid"] for outcome in outcomes)
        assert first != second
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_a_runtime_that_cannot_run_answers_with_the_reason(tmp_path: Path, function: Function) -> None:
    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(replace(function, runtime="nodejs22.x"), log)
        await running.start()
        outcome = await invoke(running, log)
        assert outcome.is_error
        assert b"nodejs22.x is neither: start Docker" in outcome.payload
        await engine.functions.let_go(running, log)

    run(tmp_path, scenario)


def test_the_environment_behind_the_first_leaves_the_start_alone(
    tmp_path: Path, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_imported(log: Lines, times: int) -> None:
        async with asyncio.timeout(60):
            while log.lines.count("imported") < times:  # noqa: ASYNC110 another process writes them
                await asyncio.sleep(0.05)

    async def scenario(engine: Engine) -> None:
        log = Lines()
        running = engine.functions.hold(function, log)
        monkeypatch.setattr(invoker, "AHEAD_AFTER_SECONDS", 3600)
        await running.start()
        await invoke(running, log)
        await asyncio.sleep(0.5)
        assert log.lines.count("imported") == 1
        await engine.functions.let_go(running, log)

        later = Lines()
        again = engine.functions.hold(function, later)
        monkeypatch.setattr(invoker, "AHEAD_AFTER_SECONDS", 0)
        await again.start()
        await until_imported(later, 2)
        await engine.functions.let_go(again, later)

    run(tmp_path, scenario)
