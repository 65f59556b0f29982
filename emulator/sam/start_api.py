"""`sam local start-api`, begun before the functions' variables are known.

`sam` imports for a second before it does anything; then it reads the file of `--env-vars`, once, and goes on. That file
is a named pipe (fifo(7)): whoever opens it waits for its writer, and the writer has what the stack gave.

Source: SAM CLI 1.170, `commands/local/cli_common/invoke_context.py`, `InvokeContext.__enter__`.
"""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Final

from emulator.processes.attached_process import AttachedProcess
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam.sam_cli import process_environment, start_api_command

STOP_SECONDS: Final = 5
_POLL_SECONDS: Final = 0.01


class StartApi:
    """One `sam local start-api` on `port`. `stop` ends it, begun or not."""

    def __init__(self, project: Project, paths: StatePaths, port: int) -> None:
        self._project = project
        self._paths = paths
        self._port = port
        self._sam: AttachedProcess | None = None

    async def begin(self, running: RunningEmulator) -> None:
        """Start `sam`, which waits for `go_on`: AWS and the engine of `running` answer, its stack is being made."""
        os.mkfifo(self._paths.sam_pipe, 0o600)
        self._sam = await self._start(running, self._paths.sam_pipe)

    async def go_on(self, running: RunningEmulator) -> None:
        """Let it go on, or start it: the variables of `running` are known."""
        if self._sam is None:
            self._sam = await self._start(running, self._paths.sam_environment)
            return
        while self._sam.returncode is None:
            try:
                pipe = os.open(self._paths.sam_pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody has opened it yet
                    raise
                await asyncio.sleep(_POLL_SECONDS)
            else:
                os.set_blocking(pipe, True)
                await asyncio.to_thread(self._write, pipe)
                return

    def _write(self, pipe: int) -> None:
        """Write the variables; whoever opens the same name again finds them in a file."""
        variables = self._paths.sam_environment.read_bytes()
        again = self._paths.sam_pipe.with_suffix(".again")
        again.write_bytes(variables)
        again.replace(self._paths.sam_pipe)
        try:
            with open(pipe, "wb") as written:
                written.write(variables)
        except BrokenPipeError:
            pass  # it has ended, and what it wrote says why

    async def wait(self) -> int:
        """Return its exit status once it has ended."""
        assert self._sam is not None, "it was started"  # noqa: S101
        return await self._sam.wait()

    async def stop(self) -> None:
        """End it; harmless when it was never begun."""
        if self._sam is not None:
            await self._sam.terminate(STOP_SECONDS)

    async def _start(self, running: RunningEmulator, variables: Path) -> AttachedProcess:
        command = start_api_command(self._project, self._paths, running, self._port, variables)
        environment = process_environment(running) | {"TMPDIR": str(self._paths.sam_temporary)}
        return await AttachedProcess.start(command, env=environment, cwd=self._project.root)
