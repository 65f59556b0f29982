"""One connection: reads requests, hands them on in order, writes the answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from emulator.http_server.messages import Limits, Message, Request, Response, response_head
from emulator.processes.peer import is_same_user

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_QUEUED_REQUESTS = 4
"""Pipelined requests that are read ahead of the one that is being answered."""
_DRAINED_LIMITS = 4
"""A body that is too large is read to its end, up to so many times the limit: many clients read no answer before."""
_LINGER_SECONDS = 1.0
_JOINED_BYTES = 64 * 1024
"""A body up to this size is sent together with its head."""


class Serves(Protocol):
    """What a connection needs of its server."""

    handler: Callable[[Request], None]
    limits: Limits
    error_response: Callable[[int], Response]
    allows_half_close: bool
    own_user_only: bool
    connections: set[Connection]


class Connection(asyncio.Protocol):
    """An asyncio protocol whose parser calls it back; `deadline` is kept by the server."""

    def __init__(self, server: Serves, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._message: Message | None = None
        self._head_bytes = 0
        self._in_head = True
        self._queue: deque[tuple[Request, bool]] = deque()
        self._current: Request | None = None
        self._keep_alive = True
        self._is_paused = False
        self._is_clogged = False
        self._unsent_bytes = 0
        self._ends = False
        self.client: tuple[str, int] | None = None
        self.deadline: float | None = None
        """When the client must have sent the next thing, on the loop's clock."""

    # --- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, base: asyncio.BaseTransport) -> None:
        """Begin: expect a request within the idle time."""
        transport = cast(asyncio.Transport, base)  # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        if self._server.own_user_only and not is_same_user(peer, transport.get_extra_info("sockname")):
            transport.abort()
            return
        self._transport = transport
        self.client = (peer[0], peer[1]) if isinstance(peer, tuple) else None
        self._server.connections.add(self)
        self._wait(self._server.limits.idle_seconds)

    def connection_lost(self, _: Exception | None) -> None:
        """End: tell whoever still waits to answer."""
        self._transport = None
        self._queue.clear()
        self._server.connections.discard(self)
        current, self._current = self._current, None
        if current is not None and current.on_gone is not None:
            current.on_gone()

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse what is no request, or too large a head."""
        if self._ends:
            return  # the last answer is written: what still comes is not read
        self._head_bytes += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                # Nothing is upgraded to: the request is an ordinary one, and the next begins after it.
                self._parser = httptools.HttpRequestParser(self)
                data = data[upgrade.args[0] :]
            except httptools.HttpParserError:
                self._reject(400)
                return
        if self._head_bytes > self._server.limits.head_bytes and (self._in_head or self._message is not None):
            self._reject(431)
        elif self._message is not None and not self._in_head:
            self._wait(self._server.limits.sending_seconds)

    def eof_received(self) -> bool:
        """Note that the client sends no more; return whether its answer can still be written."""
        waits = self._server.allows_half_close and self._current is not None
        self._keep_alive = self._keep_alive and not waits
        return waits

    def pause_writing(self) -> None:
        """Let the next request wait: the client reads slowly."""
        self._is_clogged = True
        self._unsent_bytes = 0
        self._wait(self._server.limits.sending_seconds)

    def resume_writing(self) -> None:
        """Go on: the client has read what was written."""
        self._is_clogged = False
        self._next()

    # --- httptools --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._message = Message()
        if self._current is None:
            self._wait(self._server.limits.sending_seconds)

    def on_url(self, url: bytes) -> None:
        """Take a part of the request's target."""
        if self._message is not None:
            self._message.target += url

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Take one header."""
        if self._message is not None:
            (self._message.headers if self._in_head else self._message.trailers).append((name, value or b""))

    def on_headers_complete(self) -> None:
        """Check the head, and tell a client that asks whether to go on."""
        message = self._message
        if message is None:
            return
        head, hosts, encodings = len(message.target), 0, b""
        for name, value in message.headers:
            head += len(name) + len(value)
            if len(name) == len(b"host") and name.lower() == b"host":
                hosts += 1
            elif len(name) == len(b"expect") and name.lower() == b"expect":
                message.asks_first = value.lower() == b"100-continue"
            elif len(name) == len(b"transfer-encoding") and name.lower() == b"transfer-encoding":
                encodings += b"," + value.lower()
        self._in_head, self._head_bytes = False, 0
        is_1_0 = self._parser.get_http_version() != "1.1"
        if head > self._server.limits.head_bytes:
            self._reject(431)
        elif hosts > 1 or (hosts == 0 and not is_1_0):
            self._reject(400)  # RFC 9112, 3.2
        elif encodings not in (b"", b",chunked"):
            self._reject(501)  # RFC 9112, 6.1
        elif is_1_0 or not message.asks_first or self._announces_too_much(message):
            message.asks_first = False
        elif self._current is None:
            self._let_it_send(message)

    def on_body(self, chunk: bytes) -> None:
        """Take a part of the body."""
        self._head_bytes = 0  # from here on it counts what comes between and after parts, which is no body
        message, limit = self._message, self._server.limits.body_bytes
        if message is None:
            return  # answered already
        message.size += len(chunk)
        if message.size <= limit:
            message.body += chunk
        else:
            message.body.clear()
            if message.size > limit * _DRAINED_LIMITS:
                self._hand_on(message, keep_alive=False)

    def on_message_complete(self) -> None:
        """Hand on the request."""
        if self._message is not None:
            self._hand_on(self._message, keep_alive=self._parser.should_keep_alive())

    # --- in order ---------------------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Tell whether the client is gone."""
        return self._transport is None

    @property
    def is_closing(self) -> bool:
        """Tell whether the connection is closed, or will be when what was written is sent."""
        return self._transport is None or self._transport.is_closing()

    def respond(self, request: Request, response: Response) -> None:
        """Write the answer to the request that is being handled, and go on to the next."""
        if self._transport is None or request is not self._current:
            return
        self._current = None
        self._write_response(response, request)
        if self._keep_alive:
            self._next()

    def finish(self) -> None:
        """Close once the request that is being handled is answered; the ones behind it are not handled."""
        self._queue.clear()
        self._keep_alive = False
        if self._current is None and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _hand_on(self, message: Message, *, keep_alive: bool) -> None:
        is_too_large = message.size > self._server.limits.body_bytes
        self._message = None
        if self._ends:
            return
        self._in_head, self._head_bytes = True, 0
        request = Request(
            self,
            self._parser.get_method().decode("ascii"),
            bytes(message.target),
            self._parser.get_http_version(),
            message.headers,
            bytes(message.body),
            trailers=message.trailers,
            is_too_large=is_too_large,
        )
        self._queue.append((request, keep_alive))
        if len(self._queue) > _QUEUED_REQUESTS and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._next()

    def _next(self) -> None:
        """Handle the next request, when there is one and what was written is on its way."""
        if self._current is not None or self._is_clogged or self._transport is None or self._ends:
            return
        if not self._queue:
            self._wait(self._server.limits.idle_seconds)
            if self._message is not None and self._message.asks_first:
                self._let_it_send(self._message)
            return
        self._wait(None)
        self._current, self._keep_alive = self._queue.popleft()
        if self._is_paused and len(self._queue) <= _QUEUED_REQUESTS:
            self._is_paused = False
            self._transport.resume_reading()
        self._server.handler(self._current)

    def _let_it_send(self, message: Message) -> None:
        message.asks_first = False
        self._write(_CONTINUE)
        self._wait(self._server.limits.sending_seconds)

    def _announces_too_much(self, message: Message) -> bool:
        """Answer a client that asks before it sends more than it may."""
        length = next((value for name, value in message.headers if name.lower() == b"content-length"), b"0")
        if not length.isdigit() or int(length) <= self._server.limits.body_bytes:
            return False
        message.size = int(length)
        self._hand_on(message, keep_alive=False)
        return True

    def _reject(self, status: int) -> None:
        """Answer what no handler sees, and read no further. A request before it is answered first, and alone."""
        self._keep_alive = False
        self._message = None
        self._queue.clear()
        if self._current is None and not self._ends:
            self._write_response(self._server.error_response(status), None)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write_response(self, response: Response, request: Request | None) -> None:
        status, body = response.status, response.body
        is_1_0 = request is not None and request.version == "1.0"
        head = response_head(response, keep_alive=self._keep_alive, is_1_0=is_1_0)
        if (request is not None and request.method == "HEAD") or status in (204, 304):
            body = b""
        self._write(head + body if len(body) < _JOINED_BYTES else head)
        if len(body) >= _JOINED_BYTES:
            self._write(body)
        if not self._keep_alive:
            self._ends = True
            self._close()

    def _close(self) -> None:
        if self._transport is None:
            return
        # The client may still send: closing at once would reset the connection and lose the answer.
        self._wait(_LINGER_SECONDS)
        with contextlib.suppress(OSError, NotImplementedError):
            self._transport.write_eof()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    # --- time -------------------------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Answer a client that took too long to send its request; close what idles, lingers or is not read."""
        self.deadline = None
        if self._transport is not None and (unsent := self._transport.get_write_buffer_size()):
            if self._unsent_bytes and unsent >= self._unsent_bytes:
                self._transport.abort()  # the client has read nothing since
            self._unsent_bytes = unsent
            self._wait(self._server.limits.sending_seconds)
        elif self._ends and self._transport is not None:
            self._transport.close()
        elif self._current is None and (self._message is not None or self._head_bytes):
            self._reject(408)
        elif self._current is None and self._transport is not None:
            self._transport.close()

    def _wait(self, seconds: float | None) -> None:
        self.deadline = None if seconds is None else self._loop.time() + seconds
