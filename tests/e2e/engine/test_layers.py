"""Functions with layers of their own template, run by the unmodified `sam`, built and not built."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.engine.sam import Bench, write_project

HANDLER = """
import greeting, only_first, packaged

def handler(event, context):
    return {"greeting": greeting.TEXT, "others": [only_first.TEXT, packaged.TEXT]}
"""
FILES = {
    "code/with_layers.py": HANDLER,
    "first/python/greeting.py": "TEXT = 'of the first'",
    "first/python/only_first.py": "TEXT = 'only in the first'",
    "second/python/greeting.py": "TEXT = 'of the second'",
    "second/python/lib/python3.13/site-packages/packaged.py": "TEXT = 'site-packages'",
}
EXPECTED = {"greeting": "of the second", "others": ["only in the first", "site-packages"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one function on two layers, the second over the first."""
    project = write_project(tmp_path, "Raw")
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    template = json.loads((project / "template.json").read_text())
    resources = template["Resources"]
    resources["First"] = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "first/"}}
    resources["Second"] = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": "second/"}}
    resources["Raw"]["Properties"] |= {
        "Handler": "with_layers.handler",
        "Layers": [{"Ref": "First"}, {"Ref": "Second"}],
    }
    (project / "template.json").write_text(json.dumps(template))
    return project


def answer_of(bench: Bench, project: Path, *options: str) -> Any:
    answer = bench.invoke(project, "Raw", "{}", *options)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_a_module_of_a_layer_is_found_and_the_last_layer_wins(shared_bench: Bench, project: Path) -> None:
    assert answer_of(shared_bench, project) == EXPECTED


def test_the_functions_own_module_wins_over_a_layers(shared_bench: Bench, project: Path) -> None:
    (project / "code" / "greeting.py").write_text("TEXT = 'its own'")
    assert answer_of(shared_bench, project)["greeting"] == "its own"


def test_a_changed_layer_is_served_by_the_next_container(shared_bench: Bench, project: Path) -> None:
    assert answer_of(shared_bench, project) == EXPECTED
    (project / "second/python/greeting.py").write_text("TEXT = 'changed'")
    assert answer_of(shared_bench, project)["greeting"] == "changed"


def test_a_layer_that_sam_builds(shared_bench: Bench, project: Path) -> None:
    for folder in ("code", "made"):
        (project / folder).mkdir(exist_ok=True)
        (project / folder / "requirements.txt").write_text("")
    (project / "made" / "greeting.py").write_text("TEXT = 'built'")
    this = f"python{sys.version_info.major}.{sys.version_info.minor}"  # SAM's builder takes no other's place
    packages = project / "second" / "python" / "lib"
    (packages / "python3.13").rename(packages / this)
    template = json.loads((project / "template.json").read_text().replace("python3.13", this))
    made = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "made/"}}
    template["Resources"]["Made"] = made | {"Metadata": {"BuildMethod": this}}
    template["Resources"]["Raw"]["Properties"]["Layers"].append({"Ref": "Made"})
    (project / "template.json").write_text(json.dumps(template))
    tools = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    command = [str(tools / "sam"), "build", "-t", "template.json"]
    built = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert answer_of(shared_bench, project, "-t", ".aws-sam/build/template.yaml") == {**EXPECTED, "greeting": "built"}


def test_a_layer_that_is_a_zip_file(shared_bench: Bench, project: Path) -> None:
    shutil.make_archive(str(project / "first"), "zip", project / "first")
    shutil.rmtree(project / "first")
    template = json.loads((project / "template.json").read_text())
    template["Resources"]["First"]["Properties"]["ContentUri"] = "first.zip"
    (project / "template.json").write_text(json.dumps(template))
    assert answer_of(shared_bench, project) == EXPECTED
