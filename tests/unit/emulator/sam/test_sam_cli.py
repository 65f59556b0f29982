"""What `sam` and the AWS tools are told, as variables and as shell commands."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType  # type: ignore[import-untyped]

from emulator.credentials import Endpoint, RootCredentials
from emulator.errors import EmulatorError
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam.sam_cli import (
    FOREIGN_VARIABLES,
    TOOLS,
    invoke_command,
    process_environment,
    shell_exports,
    start_api_command,
)
from tests.shop import PROJECT

RUNNING = RunningEmulator(
    ProcessIdentity(1, "boot"),
    Endpoint("http://127.0.0.1:4566", RootCredentials.random()),
    "unix:///tmp/engine.sock",
    "/tmp/control.sock",
    "eu-west-1",
    "/tmp/home",
)


def test_a_child_process_uses_the_emulator_and_no_account_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    environment = process_environment(RUNNING)
    assert environment["AWS_ENDPOINT_URL"] == RUNNING.endpoint_url
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["DOCKER_HOST"] == RUNNING.engine
    assert environment["AWS_ACCESS_KEY_ID"] == RUNNING.endpoint.root.access_key_id
    assert not set(FOREIGN_VARIABLES) & set(environment)
    assert environment["PATH"].split(":")[0] == str(TOOLS)


def test_a_shell_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    script = (
        f'{shell_exports(RUNNING, {})}\nprintf "%s %s %s" "$AWS_ENDPOINT_URL" "$DOCKER_HOST" "${{AWS_PROFILE-unset}}"'
    )
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"{RUNNING.endpoint_url} {RUNNING.engine} unset"


def test_a_shell_gets_the_variables_that_a_function_needs_under_another_server() -> None:
    functions = {
        "One": {"TABLE_NAME": "it's a table", "S3_BUCKET": "data", "SERVICE": "one", "AWS_ENDPOINT_URL": "http://in:1"},
        "Two": {"TABLE_NAME": "it's a table", "REDIS_PORT": "1", "SERVICE": "two"},
    }
    names = ("TABLE_NAME", "S3_BUCKET", "REDIS_PORT", "AWS_ENDPOINT_URL")
    wanted = " ".join(f'"${name}"' for name in names)
    script = f"{shell_exports(RUNNING, functions)}\nprintf '%s, ' {wanted}"
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"it's a table, data, 1, {RUNNING.endpoint_url}, "
    assert "SERVICE" not in shell_exports(RUNNING, functions)


def test_a_shell_gets_the_variables_of_the_function_that_it_names() -> None:
    functions = {"One": {"SECRET": "one", "TABLE_NAME": "t"}, "Two": {"SECRET": "two", "REDIS_PORT": "1"}}
    lines = shell_exports(RUNNING, functions, "One").splitlines()
    assert {"export SECRET=one", "export TABLE_NAME=t"} <= set(lines)
    assert "REDIS_PORT" not in "".join(lines)
    with pytest.raises(EmulatorError, match="FUNCTION=Three is unknown: choose One or Two"):
        shell_exports(RUNNING, functions, "Three")


def test_an_installed_engine_runs_containers_of_this_machine(tmp_path: object) -> None:
    installed = replace(RUNNING, engine=None)
    command = [str(part) for part in start_api_command(PROJECT, StatePaths(Path("/tmp/run")), installed, 3000)]
    assert command[-1].startswith("ParameterKey=LambdaArchitecture,ParameterValue=")
    assert "DOCKER_HOST" not in {
        line.split("=")[0].removeprefix("export ") for line in shell_exports(installed, {}).split("\n")
    }


@pytest.fixture
def other(tmp_path: Path) -> Project:
    """A project that says nothing but its template."""
    (tmp_path / "template.yaml").write_text("Parameters: {A: {Type: String}}\nResources: {}\n")
    return Project.open(tmp_path, overrides=['A="a \\"quoted\\" b"'])


def test_sam_gets_the_projects_own_template_and_what_its_settings_leave_open(other: Project) -> None:
    command = start_api_command(other, StatePaths(other.state), RUNNING, 3000)
    built = other.root / ".aws-sam/build/template.yaml"
    assert command[1:3] == ["local", "start-api"]
    assert command[command.index("--template-file") + 1] == built
    assert "--config-file" not in command
    assert command[command.index("--warm-containers") + 1] == "EAGER"
    assert {"--no-watch", "--skip-pull-image"} <= set(command)
    own = other.root / "samconfig.toml"
    own.write_text('[default.local_start_api.parameters]\nwarm_containers = "LAZY"\n')
    command = start_api_command(Project.open(other.root), StatePaths(other.state), RUNNING, 3000)
    assert command[command.index("--config-file") + 1] == own
    assert "--warm-containers" not in command


def test_parameters_come_last_where_sam_takes_no_argument_for_one(other: Project) -> None:
    command = invoke_command(other, StatePaths(other.state), RUNNING, "Hello", None)
    assert command[3:5] == ["Hello", "--no-event"]
    assert command[-2] == "--parameter-overrides"
    assert CfnParameterOverridesType().convert(tuple(command[-1:]), None, None) == dict(other.parameters)
