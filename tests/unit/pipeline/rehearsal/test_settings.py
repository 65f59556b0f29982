"""The settings of a rehearsal are those of samconfig.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.settings import Settings, read_settings
from sam_template.repository import SAMCONFIG

FILE = """
[rehearsal.global.parameters]
region = "us-east-1"
stack_name = "s"
[rehearsal.build.parameters]
build_dir = "there"
[rehearsal.deploy.parameters]
s3_bucket = "b"
parameter_overrides = {overrides}
"""


@pytest.mark.parametrize(
    "overrides",
    [
        '{Stage = "staging", Note = "two words"}',
        '["Stage=staging", "Note=two words"]',
        "\"Stage=staging Note='two words'\"",
    ],
)
def test_parameters_are_read_in_each_of_sams_forms(tmp_path: Path, overrides: str) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(FILE.replace("{overrides}", overrides))
    assert read_settings(file) == Settings(
        "s", "us-east-1", tmp_path / "there", "b", {"Stage": "staging", "Note": "two words"}
    )


def test_what_is_known_at_run_time_goes_over_what_the_file_says() -> None:
    settings = Settings("s", "r", Path(), "b", {"Stage": "staging", "RedisPort": "6379"})
    assert settings.overrides({"RedisPort": "7000"}) == ["Stage=staging", "RedisPort=7000"]


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(FILE.replace("{overrides}", "[]").replace('stack_name = "s"', ""))
    with pytest.raises(RehearsalError, match="has no 'stack_name' for 'rehearsal'"):
        read_settings(file)


def test_a_rehearsal_builds_beside_the_build_of_local_runs() -> None:
    folder = read_settings(SAMCONFIG).build_folder
    assert folder.parent.name == "rehearsal"
    assert folder.parent.parent.name == ".aws-sam"
