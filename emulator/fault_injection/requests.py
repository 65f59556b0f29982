"""Where one request ends and the next begins, in the bytes of a client: as much of HTTP/1.1 and RESP as that takes.

Source: RFC 9112, sections 6 and 7 (message body length); Redis serialization protocol specification ("Sending commands
to a Redis server").
"""

from __future__ import annotations

import re
from typing import Final, Protocol

_MAXIMUM_HEAD: Final = 64 * 1024
_MAXIMUM_COMMANDS: Final = 16 * 1024 * 1024
_CHUNK_END: Final = re.compile(rb"(?:^|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n$")
_LENGTH: Final = re.compile(rb"(?im)^content-length:\s*(\d+)\s*$")


class Reader(Protocol):
    """Is fed what a client sends; tells which requests are complete."""

    @property
    def is_pending(self) -> bool:
        """Whether a request has begun and is not complete."""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the requests that are complete now, each as what is needed of it: its head, or its first word.

        Raises ValueError when these are no requests.
        """


class HttpReader:
    """Bodies are counted, not kept. A request that expects 100-continue is complete with its head."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left: int | None = None
        self._tail: bytes | None = None

    @property
    def is_pending(self) -> bool:
        """Whether a request has begun and is not complete."""
        return bool(self._head)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the head of the request when it is complete with `data`."""
        if self._left is None and self._tail is None:
            self._head += data
            head, separator, body = bytes(self._head).partition(b"\r\n\r\n")
            if not separator:
                if len(self._head) > _MAXIMUM_HEAD:
                    raise ValueError("The head of the request has no end")
                return []
            self._head = bytearray(head)
            length = _LENGTH.search(head)
            if b"100-continue" in head.lower():
                return self._complete()
            if re.search(rb"(?im)^transfer-encoding:.*chunked", head):
                self._tail = b""
            else:
                self._left = int(length[1]) if length else 0
            data = body
        if self._tail is not None:
            self._tail = (self._tail + data)[-1024:]
            return self._complete() if _CHUNK_END.search(self._tail) else []
        assert self._left is not None  # noqa: S101
        self._left -= len(data)
        return self._complete() if self._left <= 0 else []

    def _complete(self) -> list[bytes]:
        head = bytes(self._head)
        self.__init__()  # type: ignore[misc]
        return [head]


class RedisReader:
    """Splits commands; of each the first word is told, in lower case."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def is_pending(self) -> bool:
        """Whether a command has begun and is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the names of the commands that are complete with `data`."""
        self._buffer += data
        if len(self._buffer) > _MAXIMUM_COMMANDS:
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
