"""A system that gives no inotify watches or no mount namespaces: the start goes on, and says what is less.

The limits are real: those of a user namespace in which the emulator, `sam` and the functions run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import free_port
from emulator.project.paths import STATE_FOLDER_VARIABLE, StatePaths
from tests.e2e.conftest import Started
from tests.e2e.processes import assert_nothing_left, family
from tests.e2e.small_checkout import make_small_checkout

IN_A_USER_NAMESPACE = ("unshare", "--user", "--map-root-user", "sh", "-c")
WITHOUT = 'echo 0 > "/proc/sys/user/max_$0" && exec "$@"'
LIMITS = {
    "inotify_watches": "Changed code is not noticed: start again after each change, or raise the limit that is used up "
    r"with `sudo sysctl fs.inotify.max_user_watches=\d+`.",
    "inotify_instances": "Changed code is not noticed: start again after each change, or raise the limit that is used "
    r"up with `sudo sysctl fs.inotify.max_user_instances=\d+`.",
    "mnt_namespaces": r"Functions have no file system of their own \(.+\): their code is not at /var/task but in the "
    "build, layers are not at /opt, and /tmp is this machine's.",
}
"""What the screen and `status` say (a pattern) without each of what the system gives."""


@pytest.fixture(scope="module", autouse=True)
def user_namespace() -> None:
    try:
        tried = subprocess.run([*IN_A_USER_NAMESPACE, WITHOUT, "inotify_watches", "true"], check=False)
    except FileNotFoundError:
        pytest.skip("user namespaces are a feature of Linux")
    if tried.returncode != 0:
        pytest.skip("this system lets nobody make a user namespace")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_checkout(tmp_path_factory.mktemp("small"))


@pytest.fixture
def start_without(checkout: Path, tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    """Return a function that runs what `make start` runs once it has built, on a system without something."""
    port, printed = free_port(), tmp_path / "output.txt"
    processes: list[subprocess.Popen[bytes]] = []

    def start(missing: str) -> Started:
        command = [sys.executable, "-m", "emulator", "start", "--port", str(port)]
        with printed.open("wb") as output:
            process = subprocess.Popen(
                [*IN_A_USER_NAMESPACE, WITHOUT, missing, *command],
                cwd=checkout,
                env=environment(tmp_path),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        processes.append(process)
        started = Started(process, printed, port)
        started.wait_until_ready()
        return started

    yield start
    for process in processes:
        left = family(process.pid)
        process.terminate()
        process.wait(30)
        assert_nothing_left(left, StatePaths(tmp_path / "run"), port)


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, STATE_FOLDER_VARIABLE: str(folder / "run")}


@pytest.mark.parametrize("missing", LIMITS)
def test_the_screen_and_the_status_name_what_is_less_and_functions_run(
    missing: str, start_without: Callable[[str], Started], checkout: Path, tmp_path: Path
) -> None:
    started = start_without(missing)
    started.wait_until_shows(f"^{LIMITS[missing]}$")
    command = [sys.executable, "-m", "emulator", "status"]
    status = subprocess.run(
        command, cwd=checkout, env=environment(tmp_path), capture_output=True, text=True, check=True
    )
    assert len(re.findall(f"^{LIMITS[missing]}$", status.stdout, re.MULTILINE)) == 1
    assert httpx.get(started.url, timeout=60).status_code == 200
    assert "Traceback" not in started.printed
