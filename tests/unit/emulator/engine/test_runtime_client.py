from pathlib import Path

import pytest

from emulator.engine import runtime_client
from emulator.engine.errors import EngineError
from emulator.interpreters import Interpreter

INTERPRETER = Interpreter(Path("/usr/bin/python3.13"), "3.13", exact=True)


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Installs that put a file where the package would be."""
    done: list[Path] = []

    def install(_: Interpreter, target: Path) -> None:
        (target / "awslambdaric.py").write_text("")
        done.append(target)

    monkeypatch.setattr(runtime_client, "_install", install)
    return done


def test_it_is_installed_once(tmp_path: Path, installs: list[Path]) -> None:
    first = runtime_client.ensure_runtime_client(INTERPRETER, tmp_path)
    assert first == tmp_path / "runtime" / "python3.13"
    assert (first / "awslambdaric.py").exists()
    assert runtime_client.ensure_runtime_client(INTERPRETER, tmp_path) == first
    assert len(installs) == 1
    assert [each.name for each in first.parent.iterdir()] == ["python3.13"]


def test_new_requirements_replace_it(tmp_path: Path, installs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runtime_client.ensure_runtime_client(INTERPRETER, tmp_path)
    (folder / "old").write_text("")
    (tmp_path / "requirements.txt").write_text("awslambdaric==9\n")
    monkeypatch.setattr(runtime_client, "REQUIREMENTS", tmp_path / "requirements.txt")
    assert runtime_client.ensure_runtime_client(INTERPRETER, tmp_path) == folder
    assert not (folder / "old").exists()
    assert len(installs) == 2


def test_a_failed_install_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(_: Interpreter, target: Path) -> None:
        raise EngineError("the index does not answer")

    monkeypatch.setattr(runtime_client, "_install", install)
    with pytest.raises(EngineError, match="index"):
        runtime_client.ensure_runtime_client(INTERPRETER, tmp_path)
    assert list((tmp_path / "runtime").iterdir()) == []
