"""Many runs of `sam`: one process imports it, which takes a second, and forks for each of them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sam_template.repository import REPOSITORY

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["samcli.cli.main", "samcli.commands.local.invoke.cli"])


@dataclass(frozen=True)
class Done:
    """How a run of `sam` ended, and what it wrote."""

    status: int | None
    output: str
    log: str


def run_sam(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> Done:
    """Run `command`, which begins with `sam`, in the repository; what it writes is kept in the empty `folder`."""
    output, log = folder / "output", folder / "log"
    arguments = [str(argument) for argument in command[1:]]
    process = _FORKING.Process(target=_run, args=(arguments, dict(environment), output, log))
    process.start()
    process.join()
    return Done(process.exitcode, output.read_text(), log.read_text())


def _run(arguments: list[str], environment: dict[str, str], output: Path, log: Path) -> None:
    for descriptor, path in ((1, output), (2, log)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
    os.chdir(REPOSITORY)
    os.environ.clear()
    os.environ.update(environment)

    from samcli.cli.main import cli  # type: ignore[import-untyped]

    cli(arguments, prog_name="sam")
