"""Commands meet the emulated account and no other; what they say is kept and, when they fail, shown."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from emulator.credentials import Endpoint, RootCredentials
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.sam import Commands

ENDPOINT = Endpoint("http://127.0.0.1:1", RootCredentials.random())


def run(tmp_path: Path, code: str, *, fails: bool = False, verbose: bool = False) -> str:
    commands = Commands(ENDPOINT, "us-east-1", tmp_path / "log", tmp_path, verbose=verbose)
    return asyncio.run(commands.run("the command", [sys.executable, "-c", code], fails=fails))


def test_nothing_of_the_shells_account_reaches_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.setenv(name, "mine")
    environment = json.loads(run(tmp_path, "import json, os; print(json.dumps(dict(os.environ)))"))
    assert "mine" not in environment.values()
    assert environment["AWS_ENDPOINT_URL"] == ENDPOINT.url
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"


def test_a_command_keeps_its_temporary_files_where_they_are_cleared(tmp_path: Path) -> None:
    assert run(tmp_path, "import tempfile; print(tempfile.gettempdir())").strip() == str(tmp_path)


def test_what_a_command_says_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "print('said')") == "said\n"
    assert (tmp_path / "log").read_text() == "said\n"
    assert capsys.readouterr().out == ""
    run(tmp_path, "print('again')", verbose=True)
    assert capsys.readouterr().out == "again\n"


def test_the_end_of_what_a_failing_command_said_is_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError) as error:
        run(tmp_path, "print('\\n'.join(map(str, range(100)))); raise SystemExit(3)")
    assert "the command ended with status 3" in str(error.value)
    assert str(error.value).splitlines()[-1] == "99"
    assert len(str(error.value).splitlines()) < 50


def test_a_command_that_should_fail_and_does_not_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path, "raise SystemExit('refused')", fails=True) == "refused\n"
    with pytest.raises(RehearsalError, match="succeeded and should have failed"):
        run(tmp_path, "pass", fails=True)
