"""A container's log as Docker's attach endpoint streams it.

Source: Docker Engine API v1.35, "Attach to a container", "Stream format": frames of an 8-byte header (stream, three
zero bytes, payload length as a big-endian 32-bit integer) and the payload.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import socket
import struct
import termios
from collections import deque
from collections.abc import Iterator
from typing import Protocol

STDERR = 2
LINE_LIMIT_BYTES = 16 * 1024
"""A longer line is split: a frame of this size enters a socket whole, so that a reader never sees half a character."""
_KEPT_FRAMES = 2000
_PENDING_FRAMES = 20_000
_HEAD_START_SECONDS = 0.03
_HEAD_START_LIMIT_SECONDS = 10.0


class WritesLines(Protocol):
    """Where lines go."""

    def write(self, line: str) -> None:
        """Write one line of the platform, given without its newline."""

    def write_line(self, line: bytes) -> None:
        """Write one line of a function, given with its newline."""


def frame(payload: bytes, stream: int = STDERR) -> bytes:
    """Return one multiplexed frame."""
    return struct.pack(">BxxxL", stream, len(payload)) + payload


class LineSplitter:
    """Cuts a process's output into lines of valid UTF-8, each with its newline.

    A line over `limit` bytes is cut at a character; invalid bytes become U+FFFD, because SAM CLI decodes each frame.
    """

    def __init__(self, limit: int = LINE_LIMIT_BYTES) -> None:
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._partial = ""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes."""
        text = self._partial + self._decoder.decode(data)
        *lines, self._partial = text.split("\n")
        for line in lines:
            yield from self._cut(line)
        if len(self._partial) >= self._limit:
            *complete, rest = self._pieces(self._partial)
            self._partial = rest
            for piece in complete:
                yield piece.encode() + b"\n"

    def flush(self) -> Iterator[bytes]:
        """Yield what has not ended in a newline, as a line."""
        text, self._partial = self._partial + self._decoder.decode(b"", final=True), ""
        self._decoder.reset()
        if text:
            yield from self._cut(text)

    def _cut(self, line: str) -> Iterator[bytes]:
        for piece in self._pieces(line):
            yield piece.encode() + b"\n"

    def _pieces(self, line: str) -> list[str]:
        if len(line) * 4 < self._limit:  # no character has more than four bytes
            return [line]
        pieces, start, size = [], 0, 0
        for index, character in enumerate(line):
            width = len(character.encode())
            if size + width >= self._limit:
                pieces.append(line[start:index])
                start, size = index, 0
            size += width
        return [*pieces, line[start:]]


class Attachment:
    """One client that reads the log over a hijacked connection.

    Each frame goes out in one send of its own, on a duplicate of the connection's socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection.dup()
        self._socket.setblocking(False)
        self._pending: deque[bytes] = deque(maxlen=_PENDING_FRAMES)
        self._loop = asyncio.get_running_loop()
        self._waiting = False
        self._held = True
        self.closed = asyncio.Event()

    async def release(self) -> None:
        """Let frames out once the client has read the answer's head.

        docker-py reads frames below its header buffer: those that arrive with the head are lost.
        """
        waited = 0.0
        while (unread := _unread_bytes(self._socket)) and waited < _HEAD_START_LIMIT_SECONDS:
            await asyncio.sleep(0.001)
            waited += 0.001
        if unread is None:
            await asyncio.sleep(_HEAD_START_SECONDS)
        self._held = False
        self._flush()

    def send(self, data: bytes) -> None:
        """Send one frame now, or in its turn when the client is slow."""
        if self.closed.is_set():
            return
        self._pending.append(data)
        if not self._held and not self._waiting:
            self._flush()

    def close(self) -> None:
        """End the stream: what is pending is tried once more."""
        if self.closed.is_set():
            return
        self._held = False
        self._flush()
        self._end()

    def _flush(self) -> None:
        try:
            while self._pending:
                data = self._pending[0]
                sent = self._socket.send(data)
                if sent < len(data):
                    self._pending[0] = data[sent:]
                else:
                    self._pending.popleft()
        except (BlockingIOError, InterruptedError):
            if not self._waiting:
                self._waiting = True
                self._loop.add_writer(self._socket.fileno(), self._flush)
            return
        except OSError:
            self._end()
            return
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._socket.fileno())

    def _end(self) -> None:
        if self.closed.is_set():
            return
        self.closed.set()
        if self._waiting:
            self._loop.remove_writer(self._socket.fileno())
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._socket.close()


class LogStream:
    """A container's lines: kept for those who attach later, sent to those who are attached."""

    def __init__(self) -> None:
        self._kept: deque[bytes] = deque(maxlen=_KEPT_FRAMES)
        self._attachments: list[Attachment] = []

    def write(self, line: str) -> None:
        """Write one line of the platform, given without its newline."""
        self.write_line(line.encode() + b"\n")

    def write_line(self, line: bytes) -> None:
        """Write one line of a function, given with its newline."""
        data = frame(line)
        self._kept.append(data)
        for attachment in self._attachments:
            attachment.send(data)

    def attach(self, attachment: Attachment, *, replay: bool) -> None:
        """Send each line from now on to `attachment`, and before them the kept ones when `replay` is asked for."""
        if replay:
            for data in self._kept:
                attachment.send(data)
        self._attachments.append(attachment)

    def detach(self, attachment: Attachment) -> None:
        """Stop sending to `attachment`, and close it."""
        if attachment in self._attachments:
            self._attachments.remove(attachment)
        attachment.close()

    def close(self) -> None:
        """End every attachment's stream."""
        for attachment in list(self._attachments):
            self.detach(attachment)


def _unread_bytes(connection: socket.socket) -> int | None:
    """Return how much the peer has not read yet; None where the system does not tell (it does on Linux)."""
    try:
        answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, AttributeError):
        return None
    return int(struct.unpack("i", answer)[0])
