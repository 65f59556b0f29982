"""One Redis on the loopback interface: started, waited for, stopped.

`redis-server` when it is on PATH, else the embedded server of `embedded_server.py`; either is a child process that ends
with its parent and keeps its data in memory only.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from emulator.attached_process import AttachedProcess
from emulator.backing_services.redis.configuration import server_configuration
from emulator.backing_services.redis.gate import PASSWORD_VARIABLE
from emulator.backing_services.redis.probe import Refusal, ask
from emulator.errors import EmulatorError
from emulator.ports import LOOPBACK, free_port
from sam_template.repository import REPOSITORY

SERVER_VARIABLE: Final = "SHOP_REDIS"
"""Set to `embedded` or `redis-server`, it decides instead of PATH."""
EMBEDDED: Final = "embedded"
REAL: Final = "redis-server"
START_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
_ATTEMPTS: Final = 3
_EMBEDDED_SERVER: Final = Path(__file__).with_name("embedded_server.py")


class RedisError(EmulatorError):
    """Redis cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class Redis:
    """One Redis server.

    With a `password` every command but AUTH and HELLO is refused until it was given. `log` takes what the server
    writes. `port` 0 means a free one. `server` is `embedded`, `redis-server` or None: then the environment variable
    SHOP_REDIS decides, and without it whether `redis-server` is on PATH.
    """

    def __init__(self, *, password: str | None = None, log: Path, port: int = 0, server: str | None = None) -> None:
        self._password = password
        self._log = log.absolute()
        self._chosen_port = port
        self._server = server or os.environ.get(SERVER_VARIABLE)
        self._process: AttachedProcess | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.host = LOOPBACK
        self.port = port
        self.kind = ""
        """`redis-server 7.0.15` (its own version) or `embedded`. Known once it has started."""

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start, and return once it answers. Raises RedisError."""
        executable = self._executable()
        for attempt in range(1, _ATTEMPTS + 1):
            self.port = self._chosen_port or free_port()
            try:
                await self._launch(executable)
                self.kind = await self._answers()
            except RedisError:
                # Neither server can be handed a socket, so someone else may have taken the port meanwhile.
                ended = self._process is not None and self._process.returncode is not None
                await self.stop()
                if self._chosen_port or not ended or attempt == _ATTEMPTS:
                    raise
            except BaseException:
                await self.stop()
                raise
            else:
                return

    async def wait(self) -> int:
        """Return its exit status once it has ended, for whatever reason."""
        assert self._process is not None, "Redis was not started"  # noqa: S101
        return await self._process.wait()

    async def stop(self) -> None:
        """End it; harmless when it has ended already."""
        if self._process is not None:
            await self._process.terminate(grace=2.0)
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _executable(self) -> str | None:
        """Return the path of `redis-server`, None for the embedded one."""
        if self._server == EMBEDDED:
            return None
        if self._server not in (None, "", REAL):
            raise RedisError(f"{SERVER_VARIABLE}={self._server} is no Redis server: use {EMBEDDED} or {REAL}.")
        executable = shutil.which(REAL)
        if executable is None and self._server == REAL:
            raise RedisError(
                f"{SERVER_VARIABLE}={REAL}, but {REAL} is not on PATH: install it, or use {SERVER_VARIABLE}={EMBEDDED}."
            )
        return executable

    async def _launch(self, executable: str | None) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="redis-")
        folder = Path(self._scratch.name)
        environment = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "PATH") if name in os.environ}
        if executable is None:
            environment |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
            if self._password:
                environment[PASSWORD_VARIABLE] = self._password
            command: list[str | Path] = [sys.executable, "-P", _EMBEDDED_SERVER, str(self.port)]
        else:
            configuration = folder / "redis.conf"  # only its user can read the folder; a command line is for all to see
            configuration.write_text(server_configuration(self.port, folder, self._password), encoding="ascii")
            command = [executable, configuration]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = await AttachedProcess.start(
                command, env=environment, cwd=folder, stdout=log, stderr=log, grace=1.0
            )

    async def _answers(self) -> str:
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._process.returncode is not None:
                raise RedisError(f"Redis ended while it started: {self._last_line()} (all of it: {self._log}).")
            try:
                return await ask(self.host, self.port, self._password)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass
            except Refusal as refusal:
                raise RedisError(f"Redis does not accept its own password: {refusal}.") from None
            if time.monotonic() > deadline:
                raise RedisError(
                    f"Redis did not answer within {START_SECONDS:.0f} s: {self._last_line()} (all of it: {self._log})."
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _last_line(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"
