"""A server that runs as a process of its own: started on the loopback interface, waited for, stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import IO, ClassVar, Final, Self

from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK, accepts, free_port

_POLL_SECONDS: Final = 0.02
_STARTS: Final = 3
_KEPT_VARIABLES: Final = ("HOME", "LANG", "LC_ALL", "PATH")


def plain_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what every program needs of `inherited`, and nothing of the caller's configuration."""
    return {name: inherited[name] for name in _KEPT_VARIABLES if name in inherited}


class ServerProcess(ABC):
    """One server. `log` takes what it writes; the folder `<log>-scratch` beside it is its own. `port` 0: a free one."""

    title: ClassVar[str]
    """What sentences call it."""
    start_seconds: ClassVar[float]
    error: ClassVar[type[Exception]]
    """What is raised when it cannot be started; the message is one sentence."""

    def __init__(self, *, log: Path, port: int) -> None:
        self._log = log.absolute()
        self._chosen_port = port
        self._process: AttachedProcess | None = None
        # Beside the log, not among the system's temporary files: what a killed emulator leaves, the next one clears.
        self._scratch = self._log.with_name(f"{self._log.stem}-scratch")
        self.host = LOOPBACK
        self.port = port
        """Known once it has been launched."""

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start, unless it was launched already, and return once it answers. Raises `error`."""
        for number in range(1, _STARTS + 1):
            try:
                if self._process is None:
                    await self.launch()
                await self._wait_until_it_answers()
            except self.error:
                # It cannot be handed a socket, so someone else may have taken the port meanwhile.
                ended = self._process is not None and self._process.returncode is not None
                await self.stop()
                if self._chosen_port or not ended or number == _STARTS:
                    raise
            except BaseException:
                await self.stop()
                raise
            else:
                return

    async def launch(self) -> None:
        """Start, and leave it to `start` to wait until it answers. Raises `error`."""
        self.port = self._chosen_port or free_port()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        try:
            with self._log.open("wb") as log:
                self._process = await self._run(log)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Return its exit status once it has ended, for whatever reason."""
        assert self._process is not None, f"{self.title} was not started"  # noqa: S101
        return await self._process.wait()

    async def stop(self) -> None:
        """End it; harmless when it has ended already."""
        if self._process is not None:
            await self._process.terminate(grace=2.0)
            self._process = None
        shutil.rmtree(self._scratch, ignore_errors=True)

    @abstractmethod
    async def _run(self, log: IO[bytes]) -> AttachedProcess:
        """Start the process, at `port` and in `_scratch`. Raises `error` when it is not installed."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Tell whether it answers. Raises `error` for what waiting does not mend."""

    async def _wait_until_it_answers(self) -> None:
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + self.start_seconds
        while not (accepts(self.port) and await self._answers()):
            if self._process.returncode is not None:
                raise self.error(f"{self.title} ended while it started: {self._last_line()} (all of it: {self._log}).")
            if time.monotonic() > deadline:
                raise self.error(
                    f"{self.title} did not answer within {self.start_seconds:.0f} s: {self._last_line()} "
                    f"(all of it: {self._log})."
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _last_line(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"
