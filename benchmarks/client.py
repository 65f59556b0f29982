"""A client that costs little beside what it measures: one event loop, one kept connection for each of the clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httptools

from benchmarks.plan import BenchmarkError
from emulator.processes.ports import LOOPBACK


@dataclass(frozen=True)
class Request:
    """A request to a port of this machine. An answer is right with status 200 and `expected` in its body."""

    port: int
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expected: bytes = b""

    def encoded(self) -> bytes:
        """Return what is sent."""
        names = {name.lower() for name in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1", "Accept-Encoding: identity"]
        lines += [] if "host" in names else [f"Host: {LOOPBACK}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [] if self.body is None else [f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (self.body or b"")


class Connection:
    """One client: sends a request when it has the answer to the one before, and connects again when it must."""

    def __init__(self) -> None:
        self._exchange: _Exchange | None = None

    async def send(self, request: Request, encoded: bytes) -> tuple[float, bytes]:
        """Send `request`, which is `encoded`; return the answer's latency in ms and its body.

        Raises `BenchmarkError` for any end but a right answer; the next request gets a new connection then.
        """
        began = time.perf_counter()
        try:
            if self._exchange is None or self._exchange.is_over:
                loop = asyncio.get_running_loop()
                _, self._exchange = await loop.create_connection(_Exchange, LOOPBACK, request.port)
            status, body = await self._exchange.send(encoded)
        except (OSError, httptools.HttpParserError) as error:
            self.close()
            raise BenchmarkError(f"{request.method} {request.path}: {type(error).__name__} {error}") from error
        except asyncio.CancelledError:
            self.close()
            raise
        took = (time.perf_counter() - began) * 1000
        if status != 200 or request.expected not in body:
            self.close()
            raise BenchmarkError(f"{request.method} {request.path} was answered {status}: {body[:200]!r}")
        return took, body

    def close(self) -> None:
        """Close the connection."""
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None


class _Exchange(asyncio.Protocol):
    """A connection whose parser calls it back."""

    def __init__(self) -> None:
        self.is_over = False
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._begin()

    def send(self, encoded: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self._begin()
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._fail(ConnectionResetError("the connection is closed"))
        else:
            self._transport.write(encoded)
        return self._answer

    def close(self) -> None:
        self.is_over = True
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_over = True
        self._transport = None
        if error is None and self._has_head:  # HTTP/1.0: the body ends with the connection
            self.on_message_complete()
        self._fail(error or ConnectionResetError("closed without an answer"))

    def on_headers_complete(self) -> None:
        self._has_head = self._parser.get_status_code() >= 200

    def on_body(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue
            return
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, b"".join(self._chunks)))

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._has_head = False

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
