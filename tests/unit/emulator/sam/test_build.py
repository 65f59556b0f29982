"""An emulator with another state folder has another build, which no one else writes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.project.paths import STATE_FOLDER_VARIABLE, StatePaths
from emulator.project.project import Project
from emulator.sam import build
from tests.shop import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    return Project.open(tmp_path)


def test_a_projects_own_emulator_uses_the_build_that_a_plain_sam_uses(
    monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    monkeypatch.delenv(STATE_FOLDER_VARIABLE, raising=False)
    for one in (PROJECT, project):
        assert build.folder(one, StatePaths.of(one)) == one.root / ".aws-sam/build"


@pytest.mark.parametrize("with_cp", [True, False])
def test_another_has_a_copy_and_a_file_that_is_put_in_place_there_leaves_the_original(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch, with_cp: bool
) -> None:
    if not with_cp:
        monkeypatch.setenv("PATH", str(tmp_path))
    built = project.built
    (built / "Function").mkdir(parents=True)
    (built / "template.yaml").write_text("Resources: {}")
    (built / "Function/handler.py").write_text("one")
    (built / ".ready").symlink_to("template.yaml")
    paths = StatePaths(tmp_path / "run")
    own = build.folder(project, paths)
    (own / "Gone").mkdir(parents=True)
    build.prepare(project, paths)
    assert (own / ".ready").is_symlink()
    assert (own / "Function/handler.py").samefile(built / "Function/handler.py")
    assert sorted(path.name for path in own.iterdir()) == [".ready", "Function", "template.yaml"]
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(own / "Function/handler.py")
    assert (built / "Function/handler.py").read_text() == "one"


def test_what_is_not_built_is_said(tmp_path: Path, project: Project) -> None:
    with pytest.raises(EmulatorError, match="run `sam build`"):
        build.prepare(project, StatePaths(tmp_path / "run"))
    (tmp_path / "emulator.toml").write_text('build_command = "make build"')
    with pytest.raises(EmulatorError, match="run `make build`"):
        build.prepare(Project.open(tmp_path), StatePaths(tmp_path / "run"))


def test_the_built_template_means_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources: {Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub '${Stage}-items'}}}\n"
        "Metadata: {Written: 2026-11-26, Share: 0.5, Kept: [true, null]}\n"
    )
    meaning = build.read_template(file)
    build.write_as_json(file)
    assert json.loads(file.read_text()) == meaning
    assert meaning["Metadata"]["Written"] == "2026-11-26"
    assert [path.name for path in tmp_path.iterdir()] == ["template.yaml"]


def test_a_built_template_that_json_cannot_say_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    text = "Resources: {Api: {Type: AWS::Serverless::Api, Properties: {Responses: {200: {}}}}}"
    file.write_text(text)
    build.write_as_json(file)
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("resource", "properties", "expected"),
    [
        ("Own", "CodeUri: Other", "Own"),
        ("Second", "CodeUri: First", "First"),  # sam builds the same code once
        ("Plain", "Code: First", "First"),
        ("Layer", "ContentUri: First", "First"),
        ("Remote", "CodeUri: s3://bucket/code.zip", "Remote"),
        ("Inline", "InlineCode: pass", "Inline"),
        ("Image", "Code: {ImageUri: x}", "Image"),
        ("Bare", "", "Bare"),
        ("Unknown", None, "Unknown"),
    ],
)
def test_a_resource_has_the_code_that_its_built_template_names(
    resource: str, properties: str | None, expected: str, tmp_path: Path
) -> None:
    for name in ("First", "Own"):
        (tmp_path / name).mkdir()
    declared = "" if properties is None else f"{resource}: {{Type: A::B, Properties: {{{properties}}}}}"
    (tmp_path / "template.yaml").write_text(f"Resources: {{{declared}}}")
    assert build.code_folder(tmp_path, resource) == tmp_path / expected


def test_code_may_lie_outside_of_the_build(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build/template.yaml").write_text("Resources: {F: {Type: A::B, Properties: {CodeUri: ../source}}}")
    assert build.code_folder(tmp_path / "build", "F") == tmp_path / "source"
