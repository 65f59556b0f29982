"""Durable functions (`DurableConfig`) run with AWS's emulator of durable executions, else `sam` says what to do."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import accepts, free_port
from tests.e2e.engine.sam import Bench, wait_until, write_project

REASON = "A durable function needs AWS's emulator of durable executions"
SDK = "aws_durable_execution_sdk_python"
SOURCE = f"""
from {SDK} import durable_execution
from {SDK}.config import Duration

@durable_execution
def handler(event, context):
    first = context.step(lambda _: event["n"] + 1, name="first")
    context.wait(Duration.from_seconds(1), name="pause")
    return {{"result": context.step(lambda _: first * 2, name="second")}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose function Echo is durable."""
    project = write_project(tmp_path, "Echo", "Second")
    template = json.loads((project / "template.json").read_text())
    durable = {"ExecutionTimeout": 60, "RetentionPeriodInDays": 1}
    template["Resources"]["Echo"]["Properties"] |= {"Handler": "steps.handler", "DurableConfig": durable}
    (project / "template.json").write_text(json.dumps(template))
    (project / "code" / "steps.py").write_text(SOURCE)
    sdk = find_spec(SDK)
    assert sdk is not None
    assert sdk.origin is not None
    shutil.copytree(Path(sdk.origin).parent, project / "code" / SDK, ignore=shutil.ignore_patterns("__pycache__"))
    return project


@pytest.fixture
def durable_executions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS's emulator of durable executions, as the sentence says to run it."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("dex-local-runner")), "start-server", "--host", "127.0.0.1"]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with (
        (tmp_path / "durable.txt").open("wb") as output,
        subprocess.Popen(
            [*command, "--port", str(port)], env=os.environ | keys, stdout=output, stderr=output, cwd=tmp_path
        ) as process,
    ):
        try:
            wait_until(lambda: accepts(port), "the emulator of durable executions")
            monkeypatch.setenv("DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT", str(port))
            yield
        finally:
            process.terminate()


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where `sam` expects the emulator of durable executions."""
    monkeypatch.setenv("DURABLE_EXECUTIONS_EMULATOR_PORT", str(free_port()))


@pytest.mark.usefixtures("durable_executions")
def test_an_execution_goes_through_its_steps(shared_bench: Bench, project: Path) -> None:
    invoked = shared_bench.invoke(project, "Echo", '{"n": 4}')
    assert invoked.returncode == 0, invoked.stderr
    assert 'Result:   {"result": 10}' in invoked.stdout
    assert invoked.stderr.count("START RequestId") == 2, "the wait ends an invocation"


@pytest.mark.usefixtures("durable_executions")
def test_a_service_that_serves_many_functions_runs_them_too(shared_bench: Bench, project: Path) -> None:
    port = free_port()
    sam = shared_bench.start_lambda(project, port)
    try:
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/Echo/invocations"
        answer = httpx.post(url, json={"n": 4}, timeout=60)
        assert (answer.status_code, answer.json()) == (200, {"result": 10}), sam.text
        assert answer.headers["x-amz-durable-execution-arn"]
    finally:
        sam.end()


@pytest.mark.usefixtures("nothing_there")
def test_an_invocation_ends_with_one_sentence(shared_bench: Bench, project: Path) -> None:
    invoked = shared_bench.invoke(project, "Echo")
    assert invoked.returncode != 0
    (error,) = (line for line in invoked.stderr.splitlines() if line.startswith("Error: "))
    assert REASON in error
    assert "`dex-local-runner start-server --host 127.0.0.1 --port 9014`" in error
    assert "Traceback" not in invoked.stderr
    assert json.loads(shared_bench.invoke(project, "Second").stdout)["statusCode"] == 200, "others run"


@pytest.mark.usefixtures("nothing_there")
@pytest.mark.parametrize("warmth", [(), ("--warm-containers", "EAGER", "--no-watch")])
def test_a_request_is_501_with_the_sentence_and_others_are_answered(
    shared_bench: Bench, project: Path, warmth: tuple[str, ...]
) -> None:
    port = free_port()
    sam = shared_bench.start_api(project, port, *warmth)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            assert client.get("/second").status_code == 200
            refused = client.get("/echo")
            assert refused.status_code == 501
            assert REASON in refused.json()["message"]
            assert client.get("/second").status_code == 200
            assert "Traceback" not in sam.text
    finally:
        sam.end()
