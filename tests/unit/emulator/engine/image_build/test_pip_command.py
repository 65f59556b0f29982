"""Which lines are `pip install` alone, and where their paths are in the folder of the image."""

from pathlib import Path

import pytest

from emulator.engine.image_build.image_root import ImageRoot
from emulator.engine.image_build.pip_command import command_line, pip_commands
from emulator.interpreters import Interpreter

SCOPE = {"LAMBDA_TASK_ROOT": "/var/task"}
INTERPRETER = Interpreter(Path("/usr/bin/python3.13"), "3.13", exact=True)


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("pip install one", [["one"]]),
        ("pip3 install -r requirements.txt", [["-r", "requirements.txt"]]),
        ("python3.13 -m pip install one -t .", [["one", "-t", "."]]),
        ('/var/lang/bin/pip install one -t "${LAMBDA_TASK_ROOT}"', [["one", "-t", "/var/task"]]),
        ("pip install -U pip && pip install 'one>=2' two[extra]", [["-U", "pip"], ["one>=2", "two[extra]"]]),
    ],
)
def test_lines_that_only_install(line: str, commands: list[list[str]]) -> None:
    assert pip_commands(line, SCOPE) == commands


@pytest.mark.parametrize(
    "line",
    [
        "pip download one",
        "dnf install gcc",
        "pip install one; rm x",
        "pip install one && rm x",
        "pip install $(cat x)",
        "pip install one >log",
        "pip install one & rm x",
        "cd x && pip install one",
    ],
)
def test_other_lines_are_a_shells(line: str) -> None:
    assert pip_commands(line, SCOPE) is None


def placed(root: Path, *arguments: str) -> list[str]:
    line = command_line(arguments, INTERPRETER, "python3.13", ImageRoot(root), "/var/task")
    return [each.replace(str(root.resolve()), "ROOT") for each in line[line.index("--no-input") + 1 :]]


def test_absolute_paths_and_those_that_go_up_are_the_images(tmp_path: Path) -> None:
    assert placed(tmp_path, "-r", "/tmp/r.txt", "-t", "/var/task") == ["-r", "ROOT/tmp/r.txt", "-t", "ROOT/var/task"]
    assert placed(tmp_path, "--target=/x", "one") == ["--target=ROOT/x", "one"]
    assert placed(tmp_path, "-r/tmp/r.txt", "-t", ".") == ["-rROOT/tmp/r.txt", "-t", "."]
    assert placed(tmp_path, "one", "-t", "../../../../x") == ["one", "-t", "ROOT/x"]


def test_without_a_place_packages_go_where_the_base_image_has_them(tmp_path: Path) -> None:
    place = "ROOT/var/lang/lib/python3.13/site-packages"
    assert placed(tmp_path, "one") == ["one", "--target", place, "--upgrade"]


def test_a_users_packages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--user"):
        placed(tmp_path, "--user", "one")
