"""`sam build` with SAM's own Python builder, as `make` and the emulator run it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.sam.sam_build import sam_build
from sam_template.repository import INSTALLED, REPOSITORY

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_functions_with_and_without_requirements_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # neither python3.13 nor pip need be there
    resources = {}
    for name, requirements in {"With": "idna\n", "Without": None}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("def handler(event, context): return 'built'")
        if requirements:
            (tmp_path / name / "requirements.txt").write_text(requirements)
        properties = {"CodeUri": name, "Handler": "app.handler", "Runtime": f"python{THIS}"}
        resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}))
    built = tmp_path / ".aws-sam" / "build"
    socket = tmp_path / "e.sock"
    building = sam_build(
        ["-t", "template.json"], template, folder=tmp_path, socket=socket, installed=INSTALLED, built=built
    )
    assert asyncio.run(building) == 0
    assert json.loads((built / "template.yaml").read_text())["Resources"].keys() == {"With", "Without"}
    assert (built / "With" / "idna" / "__init__.py").is_file()
    assert (built / "Without" / "app.py").is_file()


def test_every_target_of_make_finds_the_programs_of_the_virtual_environment() -> None:
    shown = subprocess.run(
        ["make", "--eval", "show: ; @command -v python && command -v pip && command -v sam", "show"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.split() == [str(REPOSITORY / ".venv/bin" / name) for name in ("python", "pip", "sam")]
