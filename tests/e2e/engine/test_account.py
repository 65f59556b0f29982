"""Functions of a template that says nothing of an endpoint, run by the unmodified `sam` beside a running emulator."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from emulator.paths import RunningEmulator
from sam_template.repository import REGION
from tests.e2e.engine.sam import write_project


def invoke(project: Path, function: str, environment: dict[str, str]) -> Any:
    sam = Path(sys.executable).with_name("sam")
    command = [str(sam), "local", "invoke", function, "-t", "template.json"]
    answer = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return json.loads(json.loads(answer.stdout)["body"])


def test_its_account_is_the_emulators_and_not_the_shells(
    tmp_path: Path, running: RunningEmulator, tool_environment: dict[str, str]
) -> None:
    project = write_project(tmp_path, "Environment")
    shell = tool_environment | {"AWS_ACCESS_KEY_ID": "the-developers", "AWS_SESSION_TOKEN": "the-developers"}
    shell |= {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3"}
    variables = invoke(project, "Environment", shell)["variables"]
    assert variables["AWS_ENDPOINT_URL"] == running.endpoint_url
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == REGION
    assert variables["AWS_ACCESS_KEY_ID"] == running.endpoint.root.access_key_id
    assert "AWS_SESSION_TOKEN" not in variables
