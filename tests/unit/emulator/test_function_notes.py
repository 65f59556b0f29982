"""What is less about functions on this machine than in AWS is said, each once, with the functions that it concerns."""

from pathlib import Path

import pytest

from emulator.function_notes import in_containers, on_engine, substituted, without_layers, without_role
from emulator.interpreters import Interpreter, find_interpreter
from sam_template import Template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Zip:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.13}
"""


@pytest.fixture
def template(tmp_path: Path) -> Template:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return Template.load(tmp_path / "template.yaml")


def test_a_function_without_limits_needs_no_sentence(template: Template) -> None:
    assert on_engine(template, {"ZipRole"}) == []
    assert in_containers(template, lambda _: {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}) == []


def test_each_limit_names_the_functions_that_it_concerns(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        """
Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: code, Handler: app.handler, Runtime: python3.13, Events: {Get: {Type: HttpApi}}}
  Node:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: app.handler, Runtime: nodejs22.x}
  Steps:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: code, Handler: app.handler, Runtime: python3.13, DurableConfig: {ExecutionTimeout: 60}}
"""
    )
    sentences = on_engine(Template.load(tmp_path / "template.yaml"), {"WebRole", "StepsRole"})
    assert [sentence[: sentence.index(".")] for sentence in sentences] == [
        "Not run: Node",
        "With the emulator's root credentials: Node",
        "Not durable, except under `sam local` with AWS's emulator of durable executions: Steps",
        "One request at a time under `sam local`: Web",
    ]


def test_an_image_is_not_built_again_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        TEMPLATE
        + """  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
    Metadata: {DockerContext: ./image, Dockerfile: Dockerfile}
"""
    )
    template = Template.load(tmp_path / "template.yaml")
    said = "Run as they were built: Image. The next start%s takes what changes in the sources of an image."
    assert on_engine(template, {"ZipRole", "ImageRole"}) == [said % ""]
    assert on_engine(template, {"ZipRole", "ImageRole"}, "make build") == [said % " after `make build`"]


def test_a_container_without_an_endpoint_calls_the_real_aws(template: Template) -> None:
    (sentence,) = in_containers(template, lambda _: {})
    assert sentence.startswith("Calls the real AWS: Zip. ")


def test_a_layer_of_aws_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    local, foreign = "!Ref Own", "arn:aws:lambda:us-east-1:1:layer:x:1"
    function = TEMPLATE.replace("Runtime: python3.13}", f"Runtime: python3.13, Layers: [{local}, {foreign}]}}")
    own = "  Own: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer/}}\n"
    (tmp_path / "template.yaml").write_text(function + own)
    assert without_layers(Template.load(tmp_path / "template.yaml")) == ["Zip"]


def test_a_function_of_a_role_that_is_elsewhere_runs_as_root(tmp_path: Path) -> None:
    elsewhere = "arn:aws:iam::111122223333:role/elsewhere"
    text = TEMPLATE.replace("Runtime: python3.13}", f"Runtime: python3.13, Role: '{elsewhere}'}}")
    (tmp_path / "template.yaml").write_text(text)
    template = Template.load(tmp_path / "template.yaml")
    assert without_role(template, {"ZipRole"}) == ["Zip"]


def test_another_interpreter_than_the_declared_one_is_named_once_for_all_it_runs(template: Template) -> None:
    other = Interpreter(Path("/usr/bin/python3.12"), "3.12", exact=False)
    sentence = "python3.13 cannot run on this machine: Zip run on python3.12. Install it, for example with "
    assert substituted(template, lambda _: other) == [f"{sentence}`uv python install 3.13`."]
    assert substituted(template, lambda _: other._replace(version="3.13", exact=True)) == []


def test_a_runtime_that_no_interpreter_serves_here_is_not_offered_for_installation(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE.replace("python3.13", "python3.10"))
    sentences = substituted(Template.load(tmp_path / "template.yaml"), find_interpreter)
    assert [sentence[: sentence.index("3.1", 7)] for sentence in sentences] == [
        "python3.10 cannot run on this machine: Zip run on python"
    ]
    assert "Install" not in sentences[0]
