"""The Redis protocol as a proxy sees it: where a command ends, and what an error looks like.

Source: Redis serialization protocol specification ("Sending commands to a Redis server", "Simple errors").
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

from emulator.fault_injection.fault import FaultError

_MAXIMUM_COMMAND_BYTES: Final = 16 * 1024 * 1024
_HANDSHAKE: Final = {b"hello", b"auth", b"client", b"select", b"quit"}
"""Commands that set a connection up; the server answers them even when everything else fails."""
_SENTENCE: Final = "The emulator was told to answer with this error."
_SENTENCES: Final = {
    "LOADING": "Redis is loading the dataset in memory",
    "READONLY": "You can't write against a read only replica.",
    "OOM": "command not allowed when used memory > 'maxmemory'.",
    "BUSY": "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MASTERDOWN": "Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOAUTH": "Authentication required.",
}


@dataclass(frozen=True)
class RedisWire:
    """The protocol of Redis and Valkey. A request is a command's first word, in lower case."""

    reads_always: ClassVar = False
    closes_after_error: ClassVar = False

    def reader(self, _: Collection[bytes]) -> RedisReader:
        """Return what reads the commands of one connection."""
        return RedisReader()

    def check_error(self, name: str, error: str) -> None:
        """Raise FaultError when the backing service `name` cannot answer with `error`."""
        if error and not error.isalpha():
            raise FaultError(
                f"{name} cannot answer with error:{error}: use the first word of an error, for example error:LOADING."
            )

    def is_handshake(self, names: Collection[bytes]) -> bool:
        """Tell whether commands only set the connection up."""
        return bool(names) and _HANDSHAKE.issuperset(names)

    def error(self, error: str, _: bytes) -> bytes:
        """Return the error line that begins with the word `error`."""
        word = error.upper() or "ERR"
        return f"-{word} {_SENTENCES.get(word, _SENTENCE)}\r\n".encode()


class RedisReader:
    """The commands of one connection."""

    error_response: ClassVar[bytes | None] = None

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def is_pending(self) -> bool:
        """Whether a command has begun and is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the names of the commands that are complete with `data`. Raises ValueError when these are none."""
        self._buffer += data
        if len(self._buffer) > _MAXIMUM_COMMAND_BYTES:
            raise ValueError("The command is too long to be refused politely")
        names = []
        while self._buffer:
            name, end = self._first()
            if end == 0:
                break
            names.append(name)
            self._buffer = self._buffer[end:]
        return names

    def _first(self) -> tuple[bytes, int]:
        """Return the name of the first command and where it ends, 0 when it has not arrived whole."""
        line, separator, _ = self._buffer.partition(b"\r\n")
        if not separator:
            return b"", 0
        end = len(line) + 2
        if not line.startswith(b"*"):
            return line.split(b" ")[0].lower(), end
        name = b""
        for number in range(int(line[1:])):
            newline = self._buffer.find(b"\r\n", end)
            if newline < 0:
                return b"", 0
            length = int(self._buffer[end + 1 : newline])
            start = newline + 2
            if len(self._buffer) < start + length + 2:
                return b"", 0
            if number == 0:
                name = self._buffer[start : start + length].lower()
            end = start + length + 2
        return name, end
