"""An emulator with another state folder has another build, which no one else writes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator import build
from emulator.errors import EmulatorError
from emulator.paths import BUILT, STATE_FOLDER_VARIABLE, StatePaths


def test_a_checkouts_own_emulator_uses_the_build_that_a_plain_sam_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STATE_FOLDER_VARIABLE, raising=False)
    assert StatePaths.current().build == BUILT


def test_another_has_a_copy_and_a_file_that_is_put_in_place_there_leaves_the_original(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = tmp_path / "built"
    (built / "Function").mkdir(parents=True)
    (built / "template.yaml").write_text("Resources: {}")
    (built / "Function/handler.py").write_text("one")
    (built / ".ready").symlink_to("template.yaml")
    monkeypatch.setattr("emulator.build.BUILT", built)
    paths = StatePaths(tmp_path / "run")
    (paths.build / "Gone").mkdir(parents=True)
    build.prepare(paths)
    assert sorted(path.name for path in paths.build.iterdir()) == [".ready", "Function", "template.yaml"]
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(paths.build / "Function/handler.py")
    assert (built / "Function/handler.py").read_text() == "one"


def test_what_is_not_built_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.build.BUILT", tmp_path)
    with pytest.raises(EmulatorError, match="run `make build`"):
        build.prepare(StatePaths(tmp_path / "run"))
