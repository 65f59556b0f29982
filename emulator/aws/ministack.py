"""MiniStack, the local AWS endpoint: started, waited for, stopped.

Source: MiniStack 1.5.33, README, "Configuration", and its `app.py` (names of the variables, `/_ministack/health`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar, Final

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK
from emulator.processes.server_process import ServerProcess, plain_environment

HEALTH_PATH: Final = "/_ministack/health"
RESET_PATH: Final = "/_ministack/reset"
_ANSWER_SECONDS: Final = 2.0
_LAUNCHER: Final = Path(__file__).with_name("ministack_launcher.py")


class MiniStackError(Exception):
    """MiniStack cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class MiniStack(ServerProcess):
    """One MiniStack, its state in memory only.

    `installed` is the folder that holds its virtual environment (`ministack/`). With `enforce_iam` it checks signatures
    and evaluates every policy. `launcher` is the program that its interpreter runs, with `arguments`.
    """

    title: ClassVar = "MiniStack"
    start_seconds: ClassVar = 30.0
    error: ClassVar = MiniStackError

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
        super().__init__(log=log, port=port)
        self._python = installed.absolute() / "ministack" / "bin" / "python"
        self._enforce_iam = enforce_iam
        self._command: list[str | Path] = [self._python, "-P", launcher, *arguments]
        self._root = RootCredentials.random()

    @property
    def endpoint(self) -> Endpoint:
        """Where AWS clients reach it, and as whom they may do everything. Known once it has started."""
        return Endpoint(self.endpoint_url, self._root)

    @property
    def endpoint_url(self) -> str:
        """Where AWS clients reach it. Known once it has started."""
        return f"http://{self.host}:{self.port}"

    async def _run(self, log: IO[bytes]) -> AttachedProcess:
        if not self._python.exists():
            raise MiniStackError(f"MiniStack is not installed ({self._python} is missing); run `make setup`.")
        return await AttachedProcess.start(
            self._command,
            env=_environment(os.environ, self.port, self._scratch, self._root, enforce_iam=self._enforce_iam),
            cwd=self._scratch,
            stdout=log,
            stderr=log,
            grace=1.0,
        )

    async def _answers(self) -> bool:
        """Tell whether the health page answers 200."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    head = f"GET {HEALTH_PATH} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n"
                    writer.write(head.encode())
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False


def _environment(
    inherited: Mapping[str, str], port: int, scratch: Path, root: RootCredentials, *, enforce_iam: bool
) -> dict[str, str]:
    """Return what MiniStack runs with: nothing of the caller's AWS configuration, everything it writes in `scratch`."""
    return plain_environment(inherited) | {
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
