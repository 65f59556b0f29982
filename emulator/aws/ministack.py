"""MiniStack, the local AWS endpoint: started, waited for, stopped.

Source: MiniStack 1.5.33, README, "Configuration", and its `app.py` (names of the variables, `/_ministack/health`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from emulator.attached_process import AttachedProcess
from emulator.credentials import Endpoint, RootCredentials
from emulator.ports import LOOPBACK, free_port

HEALTH_PATH: Final = "/_ministack/health"
RESET_PATH: Final = "/_ministack/reset"
START_SECONDS: Final = 30.0
_ATTEMPT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.02
_LAUNCHER: Final = Path(__file__).with_name("ministack_launcher.py")


class MiniStackError(Exception):
    """MiniStack cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class MiniStack:
    """One MiniStack process on the loopback interface, its state in memory only.

    `installed` is the folder that holds its virtual environment (`ministack/`). `log` takes what it writes; the folder
    `<log>-scratch` beside it is its own. `port` 0 means a free one. With `enforce_iam` it checks signatures and
    evaluates every policy. `launcher` is the program that its interpreter runs, with `arguments`.
    """

    def __init__(
        self,
        installed: Path,
        *,
        log: Path,
        port: int = 0,
        enforce_iam: bool = True,
        launcher: Path = _LAUNCHER,
        arguments: Sequence[str] = (),
    ) -> None:
        self._python = installed.absolute() / "ministack" / "bin" / "python"
        self._log = log.absolute()
        self._port = port
        self._enforce_iam = enforce_iam
        self._command: list[str | Path] = [self._python, "-P", launcher, *arguments]
        # Beside the log, not among the system's temporary files: what a killed emulator leaves, the next one clears.
        self._scratch = self._log.with_name(f"{self._log.stem}-scratch")
        self._process: AttachedProcess | None = None
        self._root = RootCredentials.random()

    @property
    def endpoint(self) -> Endpoint:
        """Where AWS clients reach it, and as whom they may do everything. Known once it has started."""
        return Endpoint(self.endpoint_url, self._root)

    @property
    def endpoint_url(self) -> str:
        """Where AWS clients reach it. Known once it has started."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start, unless it was launched already, and return once it answers. Raises MiniStackError."""
        if self._process is None:
            await self.launch()
        try:
            await self._answers()
        except BaseException:
            await self.stop()
            raise

    async def launch(self) -> None:
        """Start, and leave it to `start` to wait until it answers. Raises MiniStackError."""
        if not self._python.exists():
            raise MiniStackError(f"MiniStack is not installed ({self._python} is missing); run `make setup`.")
        self._port = self._port or free_port()  # it cannot be given a socket, so someone else may yet take the port
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Return its exit status once it has ended, for whatever reason."""
        assert self._process is not None, "MiniStack was not started"  # noqa: S101
        return await self._process.wait()

    async def stop(self) -> None:
        """End it; harmless when it has ended already."""
        if self._process is not None:
            await self._process.terminate(grace=2.0)
        shutil.rmtree(self._scratch, ignore_errors=True)

    async def _start(self) -> None:
        with self._log.open("wb") as log:
            self._process = await AttachedProcess.start(
                self._command,
                env=_environment(os.environ, self._port, self._scratch, self._root, enforce_iam=self._enforce_iam),
                cwd=self._scratch,
                stdout=log,
                stderr=log,
                grace=1.0,
            )

    async def _answers(self) -> None:
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_SECONDS
        while not await _healthy(self._port):
            if self._process.returncode is not None:
                raise MiniStackError(f"MiniStack ended while it started: {self._last_line()} (all of it: {self._log}).")
            if time.monotonic() > deadline:
                raise MiniStackError(
                    f"MiniStack did not answer within {START_SECONDS:.0f} s: {self._last_line()} "
                    f"(all of it: {self._log})."
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _last_line(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"


def _environment(
    inherited: Mapping[str, str], port: int, scratch: Path, root: RootCredentials, *, enforce_iam: bool
) -> dict[str, str]:
    """Return what MiniStack runs with: nothing of the caller's AWS configuration, everything it writes in `scratch`."""
    kept = {name: inherited[name] for name in ("HOME", "LANG", "LC_ALL", "PATH") if name in inherited}
    return kept | {
        "AUTH": "true" if enforce_iam else "false",
        **root.environment(),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "0",
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(scratch / "s3"),
        "S3_PERSIST": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(scratch / "state"),
        "TMPDIR": str(scratch),
    }


async def _healthy(port: int) -> bool:
    """Return whether the health page answers 200."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(f"GET {HEALTH_PATH} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode())
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    return False
