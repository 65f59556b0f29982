"""The README and the examples of the API are true: their commands are run, and what they print is what is shown."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sam_template.repository import REPOSITORY
from tests.e2e.conftest import Started

README, API = REPOSITORY / "README.md", REPOSITORY / "docs" / "api.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r'"(request_id|session_id)":"[^"]+"'), r'"\1":"<id>"'),
    (re.compile(r'"elapsed_time":[0-9.]+'), '"elapsed_time":"<duration>"'),
)


def tour(page: Path) -> list[tuple[str, str]]:
    """Return each request and fault of the page with the output that it shows."""
    steps = []
    for block in CONSOLE.findall(page.read_text()):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            if command.startswith(("curl", "make fault")):
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


@pytest.mark.parametrize("page", [README, API], ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path, run: Callable[[str], str], reset: Callable[[], None]) -> None:
    reset()
    steps = tour(page)
    assert len(steps) >= 6
    for command, shown in steps:
        printed = run(command)
        if shown or command.startswith("curl"):
            assert normalised(printed) == normalised(shown), command


def test_an_invocation_prints_the_answer(run: Callable[[str], str]) -> None:
    command = "make invoke FUNCTION=InventoryFunction EVENT=events/inventory/root.json"
    assert f"`{command}`" in README.read_text()
    assert '"statusCode": 200' in run(command)
