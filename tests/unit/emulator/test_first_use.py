"""What the emulator needs is installed once, whole, and by one process at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator import first_use
from emulator.engine import runtime_client
from emulator.errors import EmulatorError

UV = """#!/bin/sh
echo "$1 $2" >>{folder}/calls
sleep 0.5
for one; do case "$one" in */environment) mkdir -p "$one/bin"; touch "$one/bin/python";; esac; done
{ends}
"""


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "uv"
    program.write_text(UV.format(folder=tmp_path, ends=""))
    program.chmod(0o755)
    monkeypatch.setattr(runtime_client, "_uv", lambda: str(program))
    return program


def test_two_first_uses_at_once_install_once(uv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cache"
    with ThreadPoolExecutor(2) as both:
        for use in [both.submit(first_use.ensure_installed, folder, []) for _ in range(2)]:
            use.result()
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["venv", "pip"]
    assert (folder / "ministack/bin/python").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["install.lock", "ministack"]
    assert capsys.readouterr().err.count("Installing MiniStack") == 1
    first_use.ensure_installed(folder, [])  # and later nothing
    assert (tmp_path / "calls").read_text().splitlines() == calls


def test_without_an_index_it_is_a_sentence_and_nothing_is_left(uv: Path, tmp_path: Path) -> None:
    uv.write_text(UV.format(folder=tmp_path, ends='[ "$1" = venv ] || { echo "dns error" >&2; exit 2; }'))
    with pytest.raises(EmulatorError, match=r"check the network, or name your package index .* \(dns error\)\.$"):
        first_use.ensure_installed(tmp_path / "cache", [])
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["install.lock"]
