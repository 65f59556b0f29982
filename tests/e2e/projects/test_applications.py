"""SAM's own application templates run unmodified: what `sam init` makes, and projects of that shape."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import samcli  # type: ignore[import-untyped]

from tests.e2e.projects.conftest import RUNTIME, InstalledEmulator, StartedProject

HELLO_WORLD = Path(samcli.__file__).parent / "lib/init/templates/cookiecutter-aws-sam-hello-python"
"""The one application template that SAM CLI carries, and `sam init` uses where it has no network."""


@pytest.fixture(scope="module")
def applications(
    launch_project: Callable[..., StartedProject],
    installed_emulator: InstalledEmulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, StartedProject]:
    """All of them, starting at once when the first has installed and compiled what they share."""
    folder = tmp_path_factory.mktemp("init")
    context = {"runtime": RUNTIME, "architectures": {"value": ["x86_64"]}}
    subprocess.run(
        [
            *(Path(sys.executable).parent / "sam", "init", "--no-input", "--location", HELLO_WORLD),
            *("--name", "sam-app", "--extra-context", json.dumps(context)),
        ],
        cwd=folder,
        env={**installed_emulator.environment, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        check=True,
    )
    first = launch_project(folder / "sam-app")
    first.wait_until_ready()
    return {
        "sam-app": first,
        "powertools": launch_project("powertools"),
        "image": launch_project("image"),
        "step_functions": launch_project("step_functions", "--front", "gateway"),
        "eventbridge": launch_project("eventbridge", "--front", "gateway"),
    }


def _ready(applications: dict[str, StartedProject], name: str) -> StartedProject:
    applications[name].wait_until_ready()
    return applications[name]


def _hello(project: StartedProject) -> dict[str, Any]:
    answer = httpx.get(f"{project.url}/hello", timeout=60)
    assert answer.status_code == 200, answer.text + project.printed
    return dict(answer.json())


def test_hello_world_as_sam_init_makes_it(applications: dict[str, StartedProject]) -> None:
    project = _ready(applications, "sam-app")
    assert f"Runtime: {RUNTIME}\n" in (project.folder / "template.yaml").read_text()
    assert _hello(project) == {"message": "hello world"}
    project.interrupt_and_find_nothing()


def test_powertools_log_trace_and_count(applications: dict[str, StartedProject]) -> None:
    project = _ready(applications, "powertools")
    assert _hello(project) == {"message": "hello world"}
    project.wait_until(lambda: "REPORT RequestId" in project.printed)
    lines = [json.loads(line) for line in project.printed.splitlines() if line.startswith("{")]
    logged = next(line for line in lines if line.get("message") == "Hello world API - HTTP 200")
    assert logged["service"] == "PowertoolsHelloWorld"
    assert logged["xray_trace_id"].startswith("1-")
    assert any(line.get("HelloWorldInvocations") == [1.0] for line in lines)
    assert any(line.get("ColdStart") == [1.0] for line in lines)
    project.interrupt_and_find_nothing()


def test_an_image_function_is_built_from_its_dockerfile(applications: dict[str, StartedProject]) -> None:
    project = _ready(applications, "image")
    assert "\nRun as they were built: HelloWorldFunction. " in project.printed
    answer = _hello(project)
    assert answer["message"] == "hello world"
    assert answer["requests"]  # what the Dockerfile's RUN installed
    project.interrupt_and_find_nothing()


def test_a_state_machine_runs_its_functions_and_writes_the_transaction(
    applications: dict[str, StartedProject],
) -> None:
    project = _ready(applications, "step_functions")
    states = project.client("stepfunctions")
    started = states.start_execution(stateMachineArn=project.resource("StockTradingStateMachine"), input="{}")

    def described() -> dict[str, Any]:
        return dict(states.describe_execution(executionArn=started["executionArn"]))

    project.wait_until(lambda: described()["status"] != "RUNNING")
    assert described()["status"] == "SUCCEEDED", described()
    (transaction,) = project.items("TransactionTable")
    assert transaction["Type"]["S"] in ("buy", "sell")
    assert 1 <= int(transaction["Quantity"]["N"]) <= 10
    project.interrupt_and_find_nothing()


def test_an_event_of_the_default_bus_reaches_the_function(applications: dict[str, StartedProject]) -> None:
    project = _ready(applications, "eventbridge")
    entry = {
        "Source": "instances",
        "DetailType": "EC2 Instance State-change Notification",
        "Detail": json.dumps({"instance-id": "i-1", "state": "running"}),
    }
    other = {**entry, "Source": "others", "Detail": json.dumps({"instance-id": "i-2", "state": "running"})}
    assert project.client("events").put_events(Entries=[other, entry])["FailedEntryCount"] == 0
    project.wait_until(lambda: project.items("Arrived"))
    assert project.items("Arrived") == [{"id": {"S": "i-1"}, "state": {"S": "running"}}]
    project.interrupt_and_find_nothing()
