"""The README is true: its commands are run, and what they print is what it shows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from sam_template.repository import REPOSITORY
from tests.e2e.conftest import Started

README = (REPOSITORY / "README.md").read_text()
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r'"(request_id|session_id)":"[^"]+"'), r'"\1":"<id>"'),
    (re.compile(r'"elapsed_time":[0-9.]+'), '"elapsed_time":"<duration>"'),
)


def tour() -> list[tuple[str, str]]:
    """Return each command of the README with the output that it shows."""
    steps = []
    for block in CONSOLE.findall(README):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output.strip()))
    return steps


def normalised(output: str) -> str:
    for pattern, replacement in VOLATILE:
        output = pattern.sub(replacement, output)
    return output.strip()


@pytest.fixture
def run(shop: Started) -> Callable[[str], str]:
    def run(command: str) -> str:
        command = command.replace("localhost:3000", f"localhost:{shop.port}")
        done = subprocess.run(["sh", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_tour_prints_what_the_readme_shows(run: Callable[[str], str], reset: Callable[[], None]) -> None:
    reset()
    requests = [(command, shown) for command, shown in tour() if command.startswith(("curl", "make fault"))]
    assert len(requests) >= 14
    for command, shown in requests:
        printed = run(command)
        if shown or command.startswith("curl"):
            assert normalised(printed) == normalised(shown), command


def test_an_invocation_prints_the_answer(run: Callable[[str], str]) -> None:
    (command,) = [command for command, _ in tour() if command.startswith("make invoke")]
    assert '"statusCode": 200' in run(command)


def test_every_make_task_that_the_readme_names_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    for task in set(re.findall(r"\bmake ([a-z-]+)", README)):
        assert re.search(rf"^{task}\b.*:", makefile, re.MULTILINE) or task in ("up", "down", "status", "reset")
