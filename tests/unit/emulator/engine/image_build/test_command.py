"""Commands of a build: what they say, how they fail, and that none outlives who wanted it."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from emulator.engine.image_build.command import run
from emulator.engine.image_build.dockerfile import DockerfileError, parse
from sam_template.repository import REPOSITORY

INSTRUCTION = parse("FROM x\nRUN something")[1]
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def test_what_it_says_is_passed_on_line_by_line(tmp_path: Path) -> None:
    said: list[str] = []
    run(INSTRUCTION, ["sh", "-c", "echo one; echo two >&2; printf three"], ENVIRONMENT, tmp_path, said.append)
    assert said == ["one\n", "two\n", "three\n"]


def test_a_failure_ends_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(DockerfileError, match=r"RUN in line 2 .* ended with status 3: no luck"):
        run(INSTRUCTION, ["sh", "-c", "echo no luck; exit 3"], ENVIRONMENT, tmp_path, lambda _: None)


def test_it_ends_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    pids: list[int] = []

    def say(text: str) -> None:
        if pids:
            raise ConnectionError("gone")
        pids.append(int(text))

    with pytest.raises(ConnectionError):
        run(INSTRUCTION, ["sh", "-c", "sleep 300 & echo $!; wait"], ENVIRONMENT, tmp_path, say)
    wait_for_the_end(pids[0])


BUILD = """
import sys
from pathlib import Path
from emulator.engine.image_build.command import run
from emulator.engine.image_build.dockerfile import parse
say = lambda text: print(text, end="", flush=True)
run(parse("RUN x")[0], ["sh", "-c", "sleep 300 & echo $!; wait"], {"PATH": "/usr/bin:/bin"}, Path("."), say)
"""


def test_it_ends_with_an_engine_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", BUILD], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        engine.kill()
    wait_for_the_end(pid)


def wait_for_the_end(pid: int) -> None:
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.05)
