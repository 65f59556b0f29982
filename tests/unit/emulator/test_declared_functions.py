"""Functions of a template as the gateway and the events run them: of ZIP packages and of images."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from emulator.declared_functions import as_sam_describes_it
from emulator.engine.images import Image
from sam_template import Template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Zip:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.13}
  Shop:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, MemorySize: 256, ImageConfig: {Command: [app.other]}}
    Metadata: {Dockerfile: Dockerfile, DockerContext: ., DockerTag: v1}
  Named:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, ImageUri: "own:v2"}
"""


@pytest.fixture
def template(tmp_path: Path) -> Template:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return Template.load(tmp_path / "template.yaml")


def image(root: Path, *entrypoint: str) -> Image:
    return Image("shop:v1", "shop", "python3.12", root=root, command=("app.handler",), entrypoint=entrypoint)


def test_an_image_has_the_name_under_which_sam_build_keeps_it(template: Template) -> None:
    names = {name: function.image for name, function in template.functions.items()}
    assert names == {"Zip": "", "Shop": "shop:v1", "Named": "own:v2"}


def test_a_zip_function_is_where_it_was_built(template: Template, tmp_path: Path) -> None:
    (tmp_path / "build" / "Zip").mkdir(parents=True)
    function = as_sam_describes_it(template, "Zip", tmp_path / "build", {"A": "1"}, lambda _: None)
    assert (function.runtime, function.handler, function.task_root) == (
        "python3.13",
        "app.handler",
        tmp_path / "build" / "Zip",
    )
    assert function.variables["A"] == "1"


def test_an_image_function_has_the_code_of_its_image_and_the_settings_of_the_template(
    template: Template, tmp_path: Path
) -> None:
    (tmp_path / "opt").mkdir()
    found = {"shop:v1": image(tmp_path, "/lambda-entrypoint.sh")}
    function = as_sam_describes_it(template, "Shop", tmp_path, {}, found.get)
    assert (function.runtime, function.handler) == ("python3.12", "app.other")
    assert function.task_root == tmp_path.resolve() / "var/task"
    assert function.variables["AWS_LAMBDA_FUNCTION_HANDLER"] == "app.other"
    assert function.memory_mb == 256


def test_one_whose_image_is_not_here_or_starts_something_else_says_so(template: Template, tmp_path: Path) -> None:
    absent = as_sam_describes_it(template, "Named", tmp_path, {}, lambda _: None)
    assert absent.refusal.startswith("Its image own:v2 is not here: build it")
    (tmp_path / "opt").mkdir()
    other = as_sam_describes_it(template, "Shop", tmp_path, {}, lambda _: image(tmp_path, "/start.sh"))
    assert other.refusal.startswith("shop:v1 starts /start.sh app.other; the engine runs images that start")


LAYERED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  First: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: first/}}
  Second: {Type: AWS::Lambda::LayerVersion, Properties: {Content: second/}}
  Both:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: a.b, Runtime: python3.13, Layers: [!Ref First, !Ref Second]}
  Foreign:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: code, Handler: a.b, Runtime: python3.13, Layers: ["arn:aws:lambda:us-east-1:1:layer:x:1", !Ref First]}
"""


@pytest.fixture
def layered(tmp_path: Path) -> Template:
    (tmp_path / "template.yaml").write_text(LAYERED)
    for name in ("first", "second", "build/Code"):
        (tmp_path / name).mkdir(parents=True)
    return Template.load(tmp_path / "template.yaml")


def layers_of(template: Template, function: str) -> list[Path]:
    merged: list[Path] = []

    def merge(layers: Sequence[Path]) -> Path:
        merged.extend(layers)
        return Path("merged")

    build = template.path.parent / "build"
    described = as_sam_describes_it(template, function, build, {}, lambda _: None, merge)
    assert described.layers == (Path("merged"),)
    return [layer.relative_to(template.path.parent) for layer in merged]


def test_a_function_has_its_layers_in_order_built_ones_before_their_sources(layered: Template, tmp_path: Path) -> None:
    (tmp_path / "build" / "First").mkdir()
    built = LAYERED.replace("second/", "../second")  # sam build leaves a layer without BuildMethod where it is
    (tmp_path / "build" / "template.yaml").write_text(built)
    assert layers_of(layered, "Both") == [Path("build/First"), Path("second")]
    assert layers_of(layered, "Foreign") == [Path("build/First")]


def test_functions_and_layers_that_share_a_folder_of_the_build_find_it(layered: Template, tmp_path: Path) -> None:
    built = LAYERED.replace("second/", "First").replace("CodeUri: code", "CodeUri: Code")
    (tmp_path / "build" / "First").mkdir()
    (tmp_path / "build" / "template.yaml").write_text(built)
    assert layers_of(layered, "Both") == [Path("build/First"), Path("build/First")]
    function = as_sam_describes_it(layered, "Both", tmp_path / "build", {}, lambda _: None)
    assert function.task_root == tmp_path / "build" / "Code"


def test_a_function_has_the_tmp_that_the_template_declares(tmp_path: Path) -> None:
    text = TEMPLATE.replace("Runtime: python3.13}", "Runtime: python3.13, EphemeralStorage: {Size: 1024}}")
    (tmp_path / "template.yaml").write_text(text)
    for name in ("Zip", "Named"):
        (tmp_path / name).mkdir()
    template = Template.load(tmp_path / "template.yaml")
    sizes = [
        as_sam_describes_it(template, name, tmp_path, {}, lambda _: None).temp_mebibytes for name in ("Zip", "Named")
    ]
    assert sizes == [1024, 512]
