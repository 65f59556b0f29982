"""Many runs of `sam`: one process imports it, which takes two seconds, and forks for each of them."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sam_template.repository import REPOSITORY

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "samcli.cli.main",
        "samcli.commands.build.command",
        "samcli.commands.local.invoke.cli",
        "samcli.commands.local.start_api.cli",
        "samcli.commands.local.start_lambda.cli",
    ]
)

SECONDS = 120


@dataclass(frozen=True)
class Done:
    """How a run of `sam` ended, and what it wrote."""

    status: int
    output: str
    log: str


class ForkedSam:
    """A `sam` that runs, with the command line of one: what the tests use of `subprocess.Popen`."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], project: Path, output: Path, log: Path
    ) -> None:
        """Run `command`, which begins with `sam`, in the folder `project`; it writes to `output` and `log`."""
        arguments = [str(argument) for argument in command[1:]]
        for written in (output, log):
            written.write_bytes(b"")  # its reader need not wait for the fork
        # Like a child of subprocess it may outlive this process, which would wait for one that is no daemon.
        self._process = _FORKING.Process(
            target=_run, args=(arguments, dict(environment), output, log, project), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("sam", timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def run_sam(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    project: Path = REPOSITORY,
    seconds: float = SECONDS,
) -> Done:
    """Run `command`, which begins with `sam`, in the folder of `project`; what it writes is kept in `folder`."""
    output, log = folder / "output", folder / "log"
    sam = ForkedSam(command, environment, project, output, log)
    try:
        status = sam.wait(seconds)
    except subprocess.TimeoutExpired:
        sam.kill()
        raise AssertionError(f"sam still runs after {seconds} s: {_text(log)}") from None
    return Done(status, _text(output), _text(log))


def _text(written: Path) -> str:
    return written.read_text(errors="surrogateescape")  # an answer may be no text


def _run(arguments: list[str], environment: dict[str, str], output: Path, log: Path, project: Path) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in ((1, output), (2, log)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), descriptor)
    os.chdir(project)
    os.environ.clear()
    os.environ.update(environment)
    # What the imports have found out or drawn in the process that forks.
    tempfile.tempdir = None
    random.seed()
    sys.argv[:] = ["sam", *arguments]
    _show_command_line(sys.argv)

    from samcli.cli.main import cli  # type: ignore[import-untyped]

    cli(arguments, prog_name="sam")


def _show_command_line(arguments: Sequence[str]) -> None:
    """Let other processes see `arguments` as this one's, cut to the room that there is: the engine looks at them.

    Source: proc_pid_stat(5), fields 48 and 49, the room for the arguments of the process.
    """
    if sys.platform != "linux":
        return
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])  # what is split begins with field 3
    shown = "\0".join(arguments).encode()[: end - begin - 1]
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(begin)
        memory.write(shown.ljust(end - begin, b"\0"))
