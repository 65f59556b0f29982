"""Functions of a template that says nothing of an endpoint, run by the unmodified `sam` beside a running emulator."""

import json
from pathlib import Path
from typing import Any

from emulator.aws.clients import Clients
from emulator.project.paths import RunningEmulator
from sam_template.repository import REGION
from tests.e2e.engine.sam import task_root, write_project
from tests.e2e.forked_sam import run_sam


def invoke(project: Path, function: str, environment: dict[str, str]) -> Any:
    done = run_sam(["sam", "local", "invoke", function, "-t", "template.json"], environment, project, project=project)
    assert done.status == 0, done.log
    return json.loads(json.loads(done.output)["body"])


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


def test_a_function_without_requirements_has_the_sdk_and_it_calls_the_emulator(
    tmp_path: Path, running: RunningEmulator, owner: Clients, tool_environment: dict[str, str]
) -> None:
    answer = invoke(write_project(tmp_path, "Sdk"), "Sdk", tool_environment)
    assert answer["endpoint"] == running.endpoint_url
    assert answer["buckets"] == [each["Name"] for each in owner.s3.list_buckets()["Buckets"]] != []
    assert not answer["imported"], "a function that does not use the SDK does not wait for it"


def test_the_sdk_of_the_functions_own_package_wins(tmp_path: Path, tool_environment: dict[str, str]) -> None:
    project = write_project(tmp_path, "Sdk")
    own = "class client:\n    meta = type('Meta', (), {'endpoint_url': 'own'})\n"
    own += "    def __init__(self, service): pass\n    def list_buckets(self): return {'Buckets': []}\n"
    (project / "code" / "boto3.py").write_text(own)
    answer = invoke(project, "Sdk", tool_environment)
    assert (answer["endpoint"], answer["where"]) == ("own", f"{task_root(project)}/boto3.py")
