"""A SAM project is what its folder says: template, settings, parameters, and folders of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from emulator.commands.cli import _parser, _project, main
from emulator.errors import EmulatorError
from emulator.project.paths import STATE_FOLDER_VARIABLE
from emulator.project.project import Project
from sam_template.repository import CATALOG, REPOSITORY
from tests.shop import PROJECT

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: String}
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "XDG_CACHE_HOME", "SAM_EMULATOR_CACHE", STATE_FOLDER_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path


def test_a_bare_folder_has_folders_of_its_own_and_shares_what_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    project = Project.open(folder)
    assert project.template == folder / "template.yaml"
    assert project.state == folder / ".aws-sam/emulator"
    assert project.built == folder / ".aws-sam/build"
    assert project.installed == Path("/home/ann/.cache/sam-emulator")
    assert (project.region, project.stack_name, dict(project.parameters)) == ("us-east-1", "local", {})
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert project.installed == Path("/var/cache/sam-emulator")
    monkeypatch.setenv("SAM_EMULATOR_CACHE", "/srv/emulator")
    assert project.installed == Path("/srv/emulator")


def test_the_other_name_and_any_name_of_a_template_are_found(folder: Path) -> None:
    (folder / "template.yaml").rename(folder / "template.yml")
    assert Project.open(folder).template == folder / "template.yml"
    (folder / "other.yaml").write_text(TEMPLATE)
    assert Project.open(folder, Path("other.yaml")).template == folder / "other.yaml"


def test_the_region_is_that_of_samconfig_then_of_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    assert Project.open(folder).region == "ap-south-1"
    (folder / "samconfig.toml").write_text('[default.global.parameters]\nregion = "eu-west-1"\n')
    assert Project.open(folder).region == "eu-west-1"
    assert Project.open(folder, overrides=["Size=3"]).load_template().region == "eu-west-1"


def test_a_parameter_is_the_command_lines_then_samconfigs_then_emulator_tomls(folder: Path) -> None:
    (folder / "emulator.toml").write_text('[parameters]\nStage = "a"\nSize = "1"\nUrl = "{aws_endpoint_url}"\n')
    assert Project.open(folder).parameters == {"Stage": "a", "Size": "1"}
    config = folder / "samconfig.toml"
    config.write_text('[default.local_start_api.parameters]\nparameter_overrides = "Size=2"\n')
    assert Project.open(folder).parameters == {"Stage": "a", "Size": "2"}
    given = Project.open(folder, overrides=["ParameterKey=Size,ParameterValue=3", "Stage=c"])
    assert given.parameters == {"Stage": "c", "Size": "3"}
    assert given.arguments()[-2:] == [
        "--parameter-overrides=ParameterKey=Size,ParameterValue=3",
        "--parameter-overrides=Stage=c",
    ]


GREETING = "good morning, \"Ada\" and 'Bo' = 2"
GREETED = """
Parameters:
  Greeting: {Type: String}
  Size: {Type: String}
Resources:
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Sub "${Greeting}/${Size}"}}
"""
SHORT = 'Greeting="{}"'.format(GREETING.replace('"', '\\"'))
LONG = SHORT.replace("Greeting=", "ParameterKey=Greeting,ParameterValue=")


@pytest.mark.parametrize(
    "written",
    [
        f"parameter_overrides = {json.dumps(f'{SHORT} Size=3')}",
        f"parameter_overrides = {json.dumps([SHORT, 'Size=3'])}",
        f"parameter_overrides = {json.dumps([LONG, 'ParameterKey=Size,ParameterValue=3'])}",
        f"[default.global.parameters.parameter_overrides]\nGreeting = {json.dumps(GREETING)}\nSize = 3",
        f"parameter_overrides = [{{Greeting = {json.dumps(GREETING)}}}, {{Size = 3}}]",
    ],
    ids=["text", "list", "list of the long form", "table", "list of tables"],
)
def test_a_value_with_spaces_and_quotes_in_samconfig_reaches_the_template_whole(written: str, folder: Path) -> None:
    (folder / "samconfig.toml").write_text(f"[default.global.parameters]\n{written}\n")
    (folder / "template.yaml").write_text(GREETED)
    template = Project.open(folder).load_template()
    assert template.evaluated("Parameter") == {"Type": "String", "Value": f"{GREETING}/3"}


@pytest.mark.parametrize("given", [SHORT, LONG])
def test_a_value_with_spaces_and_quotes_on_the_command_line_reaches_the_template_whole(
    given: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    project = Project.open(*_project(_parser().parse_args(["start", "--parameter-overrides", given, "Size=3"])))
    assert project.parameters == {"Greeting": GREETING, "Size": "3"}
    another = _project(_parser().parse_args([*project.arguments(), "serve"]))
    assert Project.open(*another).parameters == project.parameters


def test_a_build_folder_of_its_own_is_used(folder: Path) -> None:
    (folder / "samconfig.toml").write_text('[default.build.parameters]\nbuild_dir = "out"\n')
    assert Project.open(folder).built == folder / "out"


def test_what_is_no_project_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EmulatorError, match=r"There is no template.yaml and no template.yml in .*: go to the folder"):
        Project.open(tmp_path)
    with pytest.raises(EmulatorError, match=r"There is no folder .*nowhere: name that of a SAM project"):
        Project.open(tmp_path / "nowhere")
    assert main(["--project", str(tmp_path), "status"]) == 1
    assert main(["status", "--project", str(tmp_path), "--template", "mine.yaml"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "There is no template.yaml" in first
    assert "There is no mine.yaml in" in second


def test_the_shop_keeps_its_folders_and_its_samples() -> None:
    assert PROJECT.state == REPOSITORY / ".local/run"
    assert PROJECT.installed == REPOSITORY / ".local"
    assert [items.file for items in PROJECT.declaration.items] == [CATALOG]
    PROJECT.load_template()


def test_a_module_of_the_project_hides_none_of_the_emulators(folder: Path) -> None:
    """`up` runs the emulator again by the path of its file: a project may well have a folder `emulator`."""
    from emulator.commands.background import _EMULATOR

    (folder / "emulator").mkdir()
    (folder / "emulator/__init__.py").write_text("raise SystemExit('the project own')")
    (folder / "tempfile.py").write_text("raise SystemExit('the project own')")
    done = subprocess.run(
        [*_EMULATOR, "status"], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )
    assert "No emulator is running" in done.stderr
