"""`sam build` runs before a start when something has changed that no start copies into the build."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import EmulatorError
from emulator.project.paths import StatePaths
from emulator.project.project import Project
from emulator.sam import project_build
from emulator.sam.project_build import ensure_built

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Name: {Type: String}}
Resources:
  Zip:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.13, Layers: [!Ref Shared]}
  Image:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
    Metadata: {DockerContext: ./image, Dockerfile: Dockerfile}
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared}}
"""
FILES = (
    "samconfig.toml",
    "code/app.py",
    "code/requirements.txt",
    "image/Dockerfile",
    "image/deep/app.py",
    "shared/python/shared.py",
)
BUILT, LATER = 1_000_000_000, 1_000_000_100


class Builds:
    """Stands for `sam build`: counts, and leaves the template that it would; `status` is how it ends."""

    def __init__(self) -> None:
        self.count, self.status = 0, 0
        self.arguments: list[str] = []

    async def __call__(self, arguments: list[str], _: Path, *, built: Path, log: Any, **__: Any) -> int:
        self.count += 1
        self.arguments = arguments
        log.write(b"what sam says\n")
        if not self.status:
            leave_build(built)
        return self.status


def leave_build(built: Path) -> None:
    built.mkdir(parents=True, exist_ok=True)
    (built / "template.yaml").write_text(TEMPLATE)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    made = Builds()
    monkeypatch.setattr(project_build, "sam_build", made)
    for name in ("PATH", "__SAM_CLI_APP_DIR"):  # which a build changes for this process
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of which everything is older than its build."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "image/nowhere").symlink_to("gone")
    leave_build(tmp_path / ".aws-sam/build")
    for path in tmp_path.rglob("*"):
        os.utime(path, (BUILT, BUILT), follow_symlinks=False)
    return tmp_path


def start(folder: Path) -> None:
    project = Project.open(folder, overrides=['Name="two words"'])
    ensure_built(project, StatePaths(folder / "run"), project.load_template())


def test_a_build_that_is_newer_than_everything_is_taken(folder: Path, builds: Builds) -> None:
    start(folder)
    assert builds.count == 0


def test_without_a_build_there_is_one_with_the_projects_parameters(folder: Path, builds: Builds) -> None:
    (folder / ".aws-sam/build/template.yaml").unlink()
    start(folder)
    start(folder)
    assert builds.count == 1
    assert builds.arguments[-2:] == ["--parameter-overrides", 'ParameterKey=Name,ParameterValue="two words"']


@pytest.mark.parametrize(
    ("changed", "is_built"), [(name, name != "code/app.py") for name in ("template.yaml", "image", *FILES)]
)
def test_what_no_start_copies_into_the_build_needs_another(
    changed: str, is_built: bool, folder: Path, builds: Builds
) -> None:
    os.utime(folder / changed, (LATER, LATER))
    start(folder)
    assert builds.count == is_built


@pytest.mark.parametrize("ignored", ["image/.git/index", "image/deep/__pycache__/app.pyc"])
def test_what_is_no_source_needs_no_build(ignored: str, folder: Path, builds: Builds) -> None:
    file = folder / ignored
    file.parent.mkdir()
    file.touch()
    os.utime(file.parent.parent, (BUILT, BUILT))
    start(folder)
    assert builds.count == 0


def test_a_project_with_a_build_command_builds_itself(folder: Path, builds: Builds) -> None:
    (folder / "emulator.toml").write_text('build_command = "make build"\n')
    (folder / ".aws-sam/build/template.yaml").unlink()
    start(folder)
    assert builds.count == 0


def test_a_build_that_fails_is_what_sam_said_and_a_sentence(
    folder: Path, builds: Builds, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".aws-sam/build/template.yaml").unlink()
    builds.status = 1
    with pytest.raises(EmulatorError, match=r"^sam build failed: correct what its lines above say\.$"):
        start(folder)
    assert "what sam says" in capsys.readouterr().err
