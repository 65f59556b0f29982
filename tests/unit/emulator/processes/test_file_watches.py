import errno
from pathlib import Path

import pytest

from emulator.processes import file_watches
from emulator.processes.file_watches import unnoticed_changes


@pytest.fixture(autouse=True)
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_watches, "_LIMIT_FOLDER", tmp_path)
    return tmp_path


def test_the_remedy_is_enough_for_most(limits: Path) -> None:
    (limits / "max_user_watches").write_text("8192\n")
    assert "`sudo sysctl fs.inotify.max_user_watches=524288`" in unnoticed_changes(OSError(errno.ENOSPC, "full"))


def test_the_remedy_is_more_than_there_is(limits: Path) -> None:
    (limits / "max_user_instances").write_text("4000\n")
    assert "`sudo sysctl fs.inotify.max_user_instances=8000`" in unnoticed_changes(OSError(errno.EMFILE, "full"))


def test_a_process_without_descriptors_has_another_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_watches, "_can_open_files", lambda: False)
    assert "`ulimit -n 4096`" in unnoticed_changes(OSError(errno.EMFILE, "full"))


def test_another_reason_is_named() -> None:
    assert "(Permission denied)" in unnoticed_changes(PermissionError(errno.EACCES, "Permission denied"))
