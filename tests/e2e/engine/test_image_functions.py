"""Functions of PackageType Image: built by the unmodified `sam build`, run by the unmodified `sam local`."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench

BASE = "public.ecr.aws/lambda/python:3.13"
BUILT = ".aws-sam/build/template.yaml"
SOURCE = """
import json, os, sys, time
import boto3, tiny
def handler(event, context):
    places = {"tiny": tiny.__file__, "boto3": boto3.__file__, "declared": os.environ.get("DECLARED")}
    return {"statusCode": 200, "body": json.dumps({**places, "greeting": os.environ["GREETING"], "event": event})}
def other(event, context):
    return {"statusCode": 200, "body": "other"}
def fail(event, context):
    raise ValueError("out of tea")
def slow(event, context):
    time.sleep(60)
"""
WHEEL = {
    "tiny.py": "",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD": "",
}
DOCKERFILES = {
    "Dockerfile": f"""FROM {BASE}
ARG GREETING
ENV GREETING=${{GREETING}}
COPY wheels /tmp/wheels
RUN pip install --no-index --find-links /tmp/wheels tiny
COPY *.py ${{LAMBDA_TASK_ROOT}}/
CMD ["functions.handler"]
""",
    "Client": f"""FROM {BASE}
WORKDIR /function
COPY . .
RUN python3.13 -m pip install --no-index --find-links wheels tiny -t .
ENV GREETING=client
ENTRYPOINT ["/var/lang/bin/python3.13", "-m", "awslambdaric"]
CMD ["functions.handler"]
""",
    "Shell": f"""FROM {BASE}
COPY . ./
RUN pip install --no-index --find-links wheels tiny
ENTRYPOINT ["/bin/sh", "-c", "true"]
""",
}
FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "Hello": ("Dockerfile", {"Environment": {"Variables": {"DECLARED": "yes"}}}),
    "Other": ("Dockerfile", {"ImageConfig": {"Command": ["functions.other"]}}),
    "Fail": ("Dockerfile", {"ImageConfig": {"Command": ["functions.fail"]}}),
    "Slow": ("Dockerfile", {"ImageConfig": {"Command": ["functions.slow"]}, "Timeout": 1}),
    "Client": ("Client", {}),
    "Shell": ("Shell", {}),
    "Configured": (
        "Shell",
        {
            "ImageConfig": {
                "EntryPoint": ["python", "-m", "awslambdaric"],
                "Command": ["functions.other"],
                "WorkingDirectory": "/var/task",
            },
        },
    ),
}
SAID = {
    "fail": "[ERROR] ValueError: out of tea",
    "slow": "Task timed out after 1.00 seconds",
    "shell": "the engine runs images that start /lambda-entrypoint.sh",
}


def write_image_project(folder: Path, *names: str) -> Path:
    """Write a template with Image functions, each at GET of its own path; return the folder."""
    wheels = folder / "app" / "wheels"
    wheels.mkdir(parents=True)
    with zipfile.ZipFile(wheels / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in WHEEL.items():
            wheel.writestr(name, text)
    (folder / "app" / "functions.py").write_text(SOURCE)
    for name, text in DOCKERFILES.items():
        (folder / "app" / name).write_text(text)
    resources = {}
    for name in names or FUNCTIONS:
        dockerfile_name, properties = FUNCTIONS[name]
        event = {"Type": "HttpApi", "Properties": {"Path": f"/{name.lower()}", "Method": "GET"}}
        properties = {"PackageType": "Image", "Timeout": 10, "Events": {"Get": event}, **properties}
        metadata: dict[str, Any] = {"Dockerfile": dockerfile_name, "DockerContext": "app", "DockerTag": "v1"}
        metadata |= {"DockerBuildArgs": {"GREETING": "hello"}}
        resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties, "Metadata": metadata}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": resources,
    }
    (folder / "template.json").write_text(json.dumps(template))
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sts: str) -> Iterator[tuple[Bench, Path]]:
    """An engine, and a project whose images `sam build` made with it."""
    folder = tmp_path_factory.mktemp("images")
    bench = Bench(folder, sts)
    project = write_image_project(folder / "project")
    answer = bench.build(project)
    assert answer.returncode == 0, answer.stderr
    assert "Successfully tagged hello:v1" in answer.stderr
    yield bench, project
    bench.engine.end()


def test_a_function_finds_its_code_its_packages_and_its_variables(built: tuple[Bench, Path]) -> None:
    bench, project = built
    (project / "variables.json").write_text(json.dumps({"Hello": {"DECLARED": "overridden"}}))
    answer = bench.invoke(project, "Hello", '{"a": 1}', "--env-vars", "variables.json", template=BUILT)
    body = json.loads(json.loads(answer.stdout)["body"])
    assert (body["greeting"], body["declared"]) == ("hello", "overridden")
    assert body["event"] == {"a": 1}
    assert body["tiny"].endswith("/var/lang/lib/python3.13/site-packages/tiny.py")
    assert "runtime" in body["boto3"], "what the base image has is there"


def test_every_kind_of_image_answers_and_one_that_cannot_run_stops_no_other(built: tuple[Bench, Path]) -> None:
    bench, project = built
    port = free_port()
    sam = bench.start_api(project, port, "--warm-containers", "EAGER", template=BUILT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for name in ("hello", "client"):
                answer = client.get(f"/{name}")
                assert answer.status_code == 200, sam.text
                assert answer.json()["event"]["rawPath"] == f"/{name}"
            assert client.get("/client").json()["greeting"] == "client"
            for name in ("other", "configured"):
                assert client.get(f"/{name}").text == "other", sam.text
            for name, words in SAID.items():
                assert client.get(f"/{name}").status_code >= 500
                sam.wait_for(words)
            assert client.get("/hello").status_code == 200
    finally:
        sam.end()


def test_an_image_that_cannot_be_built_is_said_in_a_sentence(bench: Bench, tmp_path: Path) -> None:
    project = write_image_project(tmp_path / "project", "Hello")
    (project / "app" / "Dockerfile").write_text(f"FROM {BASE}\n\nUSER nobody\n")
    answer = bench.build(project)
    assert answer.returncode != 0
    assert "USER in line 3 of the Dockerfile is not carried out here" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_zip_function_runs_in_a_custom_image(built: tuple[Bench, Path]) -> None:
    bench, project = built
    (project / "zip").mkdir()
    (project / "zip" / "zipped.py").write_text(
        "import os, tiny\ndef handler(event, context):\n    return [os.environ['GREETING'], __file__]\n"
    )
    properties = {"CodeUri": "zip", "Handler": "zipped.handler", "Runtime": "python3.13", "Timeout": 10}
    resources = {"Zip": {"Type": "AWS::Serverless::Function", "Properties": properties}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (project / "zip.json").write_text(json.dumps(template))
    answer = bench.invoke(project, "Zip", "{}", "--invoke-image", "hello:v1", template="zip.json")
    assert answer.returncode == 0, answer.stderr
    greeting, file = json.loads(answer.stdout)
    assert greeting == "hello"
    assert file.endswith("/zipped.py"), "its own code is what runs"
    unknown = bench.invoke(project, "Zip", "{}", "--invoke-image", "example.com/own:v1", template="zip.json")
    assert unknown.returncode != 0
    assert "example.com/own:v1 is neither" in unknown.stderr
    assert "Traceback" not in unknown.stderr
