"""`make test` on a machine without a browser says so at the end, with the command that brings one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sam_template.repository import REPOSITORY

TESTS = """
import pytest
from tests.e2e.browser import MISSING

@pytest.mark.parametrize("number", range(3))
def test_page(number):
    pytest.skip(MISSING)

def test_other():
    pytest.skip("another reason")
"""


def run(folder: Path, *names: str) -> list[str]:
    (folder / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n")
    (folder / "test_pages.py").write_text(TESTS)
    command: list[str] = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(folder),
    ]
    environment = {"PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run([*command, *names], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_skipped_browser_tests_are_counted_with_the_command_that_brings_a_browser(tmp_path: Path) -> None:
    *_, note, counts = run(tmp_path, "test_pages.py")
    assert note.startswith("3 browser tests were skipped. No Chromium on PATH: `")
    assert "install" in note
    assert counts.startswith("4 skipped")


def test_nothing_is_said_when_none_was_skipped_for_want_of_a_browser(tmp_path: Path) -> None:
    assert "browser" not in "\n".join(run(tmp_path, "test_pages.py", "-k", "other"))
