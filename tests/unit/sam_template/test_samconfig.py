"""The settings of a local run in SAM's own configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sam_template import TemplateError
from sam_template.samconfig import SamConfig

TOML = """
version = 0.1
[default.global.parameters]
stack_name = "app"
[default.deploy.parameters]
region = "eu-central-1"
parameter_overrides = "Stage=deployed"
[default.local_start_api.parameters]
parameter_overrides = ["Stage=local", "Size=3"]
[default.build.parameters]
build_dir = "out"
"""
YAML = """
version: 0.1
default:
  global: {parameters: {region: eu-west-1}}
  deploy: {parameters: {region: eu-central-1}}
  local_invoke: {parameters: {parameter_overrides: {Stage: local}}}
"""


def test_a_project_without_one_says_nothing(tmp_path: Path) -> None:
    config = SamConfig.read(tmp_path)
    assert (config.path, config.region, config.local_parameters()) == (None, "", {})
    assert config.setting("build", "build_dir") is None


def test_a_command_has_its_own_settings_and_those_of_all(tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(TOML)
    config = SamConfig.read(tmp_path)
    assert config.path == tmp_path / "samconfig.toml"
    assert config.setting("build", "build_dir") == "out"
    assert config.setting("build", "stack_name") == "app"
    assert config.region == "eu-central-1"
    # those of a deployment are not a local run's
    assert config.local_parameters() == {"Stage": "local", "Size": "3"}


@pytest.mark.parametrize("name", ["samconfig.yaml", "samconfig.yml"])
def test_yaml_is_read_too_and_the_region_of_all_commands_comes_first(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(YAML)
    config = SamConfig.read(tmp_path)
    assert config.region == "eu-west-1"
    assert config.local_parameters() == {"Stage": "local"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x", "is not TOML"), ("default = 1", "must have a table `default`"), ("\x00", "is not TOML")],
)
def test_a_file_that_cannot_be_read_is_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "samconfig.toml").write_text(text)
    with pytest.raises(TemplateError) as refused:
        SamConfig.read(tmp_path)
    assert sentence in str(refused.value)
