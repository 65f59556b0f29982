"""A function that `make new` adds is green at once: tests, audit, and an answer over HTTP."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulator.project.paths import STATE_FOLDER_VARIABLE
from sam_template.repository import REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.conftest import make_start

INSTALLED = (".venv", ".local")
NOT_COPIED = shutil.ignore_patterns(*INSTALLED, ".git", ".*_cache", ".hypothesis", ".aws-sam")
OF_THE_TEMPLATE = (
    *("tests/unit/orders_function", "tests/unit/events", "tests/unit/docs", "tests/unit/pipeline/test_bootstrap.py"),
    *("tests/unit/emulator/gateway/test_template_apis.py", "tests/unit/pipeline/rehearsal/test_declaration.py"),
)
"""The unit tests that read the template, and the new one."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, with a function added."""
    copy = tmp_path_factory.mktemp("checkout") / "shop"
    shutil.copytree(REPOSITORY, copy, ignore=NOT_COPIED)
    for name in INSTALLED:
        (copy / name).symlink_to(REPOSITORY / name)
    said = run(copy, "make", "new", "FUNCTION=Orders", "ROUTE=GET /orders")
    assert said.startswith("OrdersFunction answers GET /orders (template.yaml, ")
    return copy


def run(checkout: Path, *command: str) -> str:
    """Run a command in the copy; return what it says. It has to succeed."""
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_unit_tests_of_the_template_pass(checkout: Path) -> None:
    assert " passed" in run(
        checkout, ".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *OF_THE_TEMPLATE
    )


def test_it_is_formatted_and_typed(checkout: Path) -> None:
    new = ["orders_function", "tests/unit/orders_function"]
    run(checkout, ".venv/bin/ruff", "format", "--check", *new)
    run(checkout, ".venv/bin/ruff", "check", *new)
    run(checkout, ".venv/bin/mypy", *new)


def test_the_audit_has_no_objection(checkout: Path) -> None:
    assert run(checkout, ".venv/bin/python", "-m", "pipeline.permissions") == ""


def test_a_second_one_of_its_name_is_refused(checkout: Path) -> None:
    command = ["make", "new", "FUNCTION=Orders", "ROUTE=GET /other"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "template.yaml has OrdersFunction already: choose another name."


@pytest.fixture
def answered_at(checkout: Path, tmp_path: Path) -> Iterator[str]:
    """The address of the copy's gateway, which runs."""
    run(checkout, "make", "build")
    shell = {name: value for name, value in os.environ.items() if name not in NAME_OTHER_BACKING_SERVICES}
    environment = {**shell, STATE_FOLDER_VARIABLE: str(tmp_path / "run")}
    started = make_start(tmp_path, environment=environment, checkout=checkout, front="gateway")
    try:
        started.wait_until_ready()
        yield started.url
    finally:
        started.process.terminate()
        started.process.wait(30)


def test_its_route_is_answered(answered_at: str) -> None:
    answer = httpx.get(f"{answered_at}/orders", timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"route": "GET /orders"})
