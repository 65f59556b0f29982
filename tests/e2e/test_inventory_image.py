"""`inventory_function/Dockerfile`, built by the unmodified `sam build` and run by the unmodified `sam local`."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from emulator.aws.clients import Clients
from emulator.engine.image_build import shell_command
from emulator.processes.ports import accepts, free_port
from emulator.project.paths import RunningEmulator, StatePaths
from sam_template.repository import REPOSITORY
from tests.e2e.engine.sam import wait_until
from tests.e2e.forked_sam import Done, ForkedSam, run_sam
from tests.e2e.test_fixtures import of_proxy_answer
from tests.events import EVENTS, load_event

FUNCTION = "InventoryFunction"
READS = [
    fixture
    for fixture in sorted((EVENTS / "inventory").glob("*.json"))
    if load_event(fixture)["requestContext"]["http"]["method"] == "GET"
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, paths: StatePaths, running: RunningEmulator) -> Path:
    """A template with the inventory as an image, its sources beside it."""
    folder = tmp_path_factory.mktemp("image")
    for name in ("inventory_function", "lambda_http"):
        shutil.copytree(REPOSITORY / name, folder / name)
    properties = {
        "PackageType": "Image",
        "Timeout": 30,
        "MemorySize": 512,
        "Environment": {"Variables": json.loads(paths.sam_environment.read_text())[FUNCTION]},
    }
    metadata = {"Dockerfile": "inventory_function/Dockerfile", "DockerContext": ".", "DockerTag": "test"}
    function = {"Type": "AWS::Serverless::Function", "Properties": properties, "Metadata": metadata}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {FUNCTION: function}}
    (folder / "template.json").write_text(json.dumps(template))
    return folder


@pytest.fixture(scope="module")
def build(project: Path, tool_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    written = tmp_path_factory.mktemp("build")
    yield run_sam(["sam", "build", "-t", "template.json"], tool_environment, written, project=project, seconds=600)
    client = docker.DockerClient(base_url=tool_environment["DOCKER_HOST"])
    with contextlib.suppress(docker.errors.ImageNotFound):
        client.images.remove("inventoryfunction:test")
    client.close()


@pytest.fixture
def start_lambda(project: Path, build: Done, tool_environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    log = project / "start-lambda.txt"
    command = ["sam", "local", "start-lambda", "--port", str(port), "--warm-containers", "LAZY"]
    process = ForkedSam(command, tool_environment, project, log, log)
    try:
        wait_until(lambda: accepts(port) or process.poll() is not None, "start-lambda")
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/{FUNCTION}/invocations"
    finally:
        process.terminate()
        process.wait(30)


def test_the_image_answers_every_reading_fixture_as_the_package_does(
    build: Done, request: pytest.FixtureRequest, owner: Clients
) -> None:
    if not shell_command.is_possible():
        # Its last RUN needs a mount namespace: a system that grants none is told so.
        assert "RUN in line 11 of the Dockerfile runs more than `pip install`" in build.log
        return
    assert build.status == 0, build.log
    url = request.getfixturevalue("start_lambda")
    package = owner.named("lambda")
    (name,) = [
        each["FunctionName"] for each in package.list_functions()["Functions"] if FUNCTION in each["FunctionName"]
    ]
    with httpx.Client(timeout=60) as client:
        for fixture in READS:
            event = fixture.read_bytes()
            of_image: dict[str, Any] = client.post(url, content=event).json()
            invoked = package.invoke(FunctionName=name, Payload=event)
            of_package = json.loads(invoked["Payload"].read())
            assert of_proxy_answer(of_image) == of_proxy_answer(of_package), fixture.name
