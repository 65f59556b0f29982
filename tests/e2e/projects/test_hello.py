"""A bare machine, one installation, one command: the smallest SAM project answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.processes import GONE_SECONDS, family
from tests.e2e.projects.conftest import RUNTIME, InstalledEmulator, StartedProject


@pytest.mark.parametrize("front", ["sam", "gateway"])
def test_it_starts_answers_and_leaves_nothing(front: str, start_project: Callable[..., StartedProject]) -> None:
    project = start_project("hello", "--front", front)
    assert httpx.get(f"{project.url}/hello", timeout=60).json()["message"] == "hello"
    assert "Redis" not in project.printed  # without emulator.toml no backing service starts
    project.interrupt_and_find_nothing()


def test_one_that_is_killed_leaves_no_process_and_the_next_removes_the_rest(
    launch_project: Callable[..., StartedProject],
) -> None:
    killed = launch_project("hello", "--parameter-overrides", f"Runtime={RUNTIME}")
    killed.wait_until_ready()
    assert httpx.get(f"{killed.url}/hello", timeout=60).status_code == 200
    processes = family(killed.process.pid)
    killed.process.kill()
    killed.process.wait()
    _, left = psutil.wait_procs(processes, timeout=GONE_SECONDS)
    assert left == []
    arguments = ("--front", "gateway", "--parameter-overrides", f"Runtime={RUNTIME}")
    following = launch_project(killed.folder, *arguments, temporary=killed.temporary)
    following.wait_until_ready()
    assert httpx.get(f"{following.url}/hello", timeout=60).status_code == 200
    following.interrupt_and_find_nothing()


def test_a_function_is_invoked_with_a_file_and_without(
    installed_emulator: InstalledEmulator, copy_project: Callable[[str], Path]
) -> None:
    folder = copy_project("hello")
    (folder / "event.json").write_text("{}")
    for event in (["event.json"], []):
        done = installed_emulator.run(
            "invoke", "HelloFunction", *event, "--parameter-overrides", f"Runtime={RUNTIME}", folder=folder
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(json.loads(done.stdout)["body"]) == {"message": "hello", "function": "HelloFunction"}
    assert "Building" not in done.stderr  # the second uses the build of the first


def test_a_folder_without_a_template_is_a_sentence(installed_emulator: InstalledEmulator, tmp_path: Path) -> None:
    done = installed_emulator.run("start", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no template.yaml and no template.yml in ")
    assert done.stderr.count("\n") == 1
