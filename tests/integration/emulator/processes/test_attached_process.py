"""A command and its children end with the process that started them, however that one ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from emulator.processes.attached_process import AttachedProcess
from sam_template.repository import REPOSITORY

# A command that starts a child in a process group of its own, writes both ids, and waits.
FAMILY = """
import os, pathlib, signal, sys, time
stubborn = "stubborn" in sys.argv
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
else:
    file = pathlib.Path(sys.argv[1])
    file.with_suffix(".draft").write_text(f"{os.getpid()} {child}")
    file.with_suffix(".draft").rename(file)
time.sleep(60)
"""
PARENT = """
import asyncio, sys
from emulator.processes.attached_process import AttachedProcess

async def main():
    await AttachedProcess.start([sys.executable, "-c", *sys.argv[1:]], grace=0.3)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def ids(file: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, "the command did not start"
        time.sleep(0.01)
    return [int(word) for word in file.read_text().split()]


def gone(pids: list[int], within: float) -> bool:
    deadline = time.monotonic() + within
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("nature", ["meek", "stubborn"])
def test_no_orphan_when_the_parent_is_killed(tmp_path: Path, how: signal.Signals, nature: str) -> None:
    file = tmp_path / "ids"
    with subprocess.Popen([sys.executable, "-c", PARENT, FAMILY, str(file), nature], cwd=REPOSITORY) as parent:
        family = ids(file)
        parent.send_signal(how)
    assert gone(family, within=3)


@pytest.mark.parametrize("nature", ["meek", "stubborn"])
def test_no_orphan_when_the_watcher_is_killed(tmp_path: Path, nature: str) -> None:
    file = tmp_path / "ids"

    async def main() -> int:
        process = await AttachedProcess.start([sys.executable, "-c", FAMILY, file, nature])
        await asyncio.to_thread(ids, file)
        os.kill(process.pid, signal.SIGKILL)
        return await process.wait()

    assert asyncio.run(main()) == 128 + signal.SIGKILL
    assert gone(ids(file), within=1)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_the_command_ends_when_watcher_and_parent_are_killed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    with subprocess.Popen([sys.executable, "-c", PARENT, FAMILY, str(file), "stubborn"], cwd=REPOSITORY) as parent:
        command, child = ids(file)
        (watcher,) = psutil.Process(parent.pid).children()
        parent.send_signal(signal.SIGSTOP)  # it notices nothing
        watcher.kill()
        try:
            assert gone([command], within=3)
        finally:
            os.kill(child, signal.SIGKILL)  # only the command itself is the kernel's to end
            parent.kill()


def run(*command: str) -> int:
    async def main() -> int:
        process = await AttachedProcess.start([sys.executable, "-c", *command], stderr=subprocess.DEVNULL)
        return await process.wait()

    return asyncio.run(main())


def test_the_exit_status_is_the_commands() -> None:
    assert run("raise SystemExit(7)") == 7
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == 128 + signal.SIGKILL


def test_a_command_that_does_not_exist_ends_with_127(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> int:
        return await (await AttachedProcess.start(["/nowhere/at/all"])).wait()

    assert asyncio.run(main()) == 127
    assert "/nowhere/at/all: No such file or directory" in capfd.readouterr().err


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    file = tmp_path / "ids"
    assert run(FAMILY.replace("time.sleep(60)", "time.sleep(60 if child == 0 else 0)"), str(file)) == 0
    assert gone(ids(file), within=1)


@pytest.mark.parametrize(("nature", "status"), [("meek", signal.SIGTERM), ("stubborn", signal.SIGKILL)])
def test_terminate_asks_first_and_then_insists(tmp_path: Path, nature: str, status: signal.Signals) -> None:
    file = tmp_path / "ids"

    async def main() -> int:
        process = await AttachedProcess.start([sys.executable, "-c", FAMILY, file, nature])
        await asyncio.to_thread(ids, file)
        assert process.returncode is None
        ended = await process.terminate(grace=0.3)
        assert await process.terminate() == ended == process.returncode
        return ended

    assert asyncio.run(main()) == 128 + status
    assert gone(ids(file), within=1)


def test_stop_sends_the_signal_it_is_given(tmp_path: Path) -> None:
    code = (
        "import time\ntry:\n  print('up', flush=True); time.sleep(60)\nexcept KeyboardInterrupt:\n  raise SystemExit(3)"
    )

    async def main() -> int:
        process = await AttachedProcess.start([sys.executable, "-c", code], stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"up\n"
        return await process.stop(signal.SIGINT, grace=5)

    assert asyncio.run(main()) == 3


def test_the_command_is_in_a_session_of_its_own(tmp_path: Path) -> None:
    async def main() -> bytes:
        code = "import os; print(os.getsid(0), os.getpid(), os.environ['COLOUR'], os.getcwd())"
        process = await AttachedProcess.start(
            [sys.executable, "-c", code], env={"COLOUR": "red"}, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        said = await process.stdout.read()
        await process.wait()
        return said

    session, pid, colour, folder = asyncio.run(main()).decode().split()
    assert session == pid
    assert int(session) != os.getsid(0)
    assert (colour, Path(folder)) == ("red", tmp_path.resolve())
