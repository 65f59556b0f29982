"""MiniStack, the local AWS endpoint: started, waited for, stopped.

Source: MiniStack 1.5.33, README, "Configuration", and its `app.py` (names of the variables, `/_ministack/health`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar, Final

from emulator.command_names import spelled
from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK
from emulator.processes.server_process import ServerProcess, plain_environment

HEALTH_PATH: Final = "/_ministack/health"
RESET_PATH: Final = "/_ministack/reset"
_ANSWER_SECONDS: Final = 2.0
_READ_AHEAD: Final = ("dynamodb", "iam", "lambda", "s3", "secretsmanager", "sns", "sqs")
"""The services that most templates make something of; each takes a tenth of a second with its first request."""
_TYPE: Final = re.compile(r"\bAWS::(\w+)::\w")
_OF_EVERY_FUNCTION: Final = ("iam", "lambda")
_LAUNCHER: Final = Path(__file__).with_name("ministack_launcher.py")


def services_named(template: str) -> list[str]:
    """Return those of the usual services that the text of a SAM template will want of MiniStack, at a guess."""
    named = {name.lower() for name in _TYPE.findall(template)}
    wanted = named | set(_OF_EVERY_FUNCTION) if "serverless" in named else named
    return [service for service in _READ_AHEAD if service in wanted]


class MiniStackError(Exception):
    """MiniStack cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class MiniStack(ServerProcess):
    """One MiniStack, its state in memory only.

    `installed` is the folder that holds its virtual environment (`ministack/`). With `enforce_iam` it checks signatures
    and evaluates every policy. `services` are those that are asked first. `launcher` is the program that its
    interpreter runs, with `arguments`.
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
        services: Sequence[str] = (),
        launcher: Path = _LAUNCHER,
        arguments: Sequence[str] = (),
    ) -> None:
        super().__init__(log=log, port=port)
        self._python = installed.absolute() / "ministack" / "bin" / "python"
        self._enforce_iam = enforce_iam
        self._services = services
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
            raise MiniStackError(f"MiniStack is not installed ({self._python} is missing); run {spelled('setup')}.")
        return await AttachedProcess.start(
            self._command,
            env=_environment(os.environ, self.port, self._scratch, self._root, enforce_iam=self._enforce_iam)
            | {"EMULATOR_SERVICES": " ".join(self._services)},
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
