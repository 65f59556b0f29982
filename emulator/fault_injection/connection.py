"""One client's connection through a proxy: bytes both ways, or what the fault makes of them.

Buffers are bounded: whoever sends faster than the other side takes is not read from meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, cast

from emulator.fault_injection.fault import Fault, Kind
from emulator.fault_injection.wire import Wire

_HTTP_ERRORS: Final = (b"HTTP/1.1 4", b"HTTP/1.1 5")
_RESET: Final = struct.pack("ii", 1, 0)
_HALF_OPEN_SECONDS: Final = 1.0
"""How long a client that sends no more is waited for when no response is due."""


class ConnectionOwner(Protocol):
    """What a connection needs of the proxy that it belongs to."""

    target: tuple[str, int]
    wire: Wire
    fault: Fault
    connections: set[Connection]
    on_error: Callable[[bytes], None] | None

    @property
    def hosts(self) -> Collection[bytes]:
        """The values of the header Host that a client may send."""

    def count_error(self) -> None:
        """Count an error that was answered."""


class _Side(asyncio.Protocol):
    """One of the two sockets."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.transport: asyncio.Transport | None = None
        self.peer: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, _: Exception | None) -> None:
        self.connection.lost(self)

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport and not self.connection.is_waiting:
            self.peer.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def reset(self) -> None:
        """Close so that the other end sees a reset, as when a process dies."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()


class _Client(_Side):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connection.opened()

    def data_received(self, data: bytes) -> None:
        self.connection.from_client(data)

    def eof_received(self) -> bool:
        """Pass a half-close on: the response is still to come."""
        if not self.connection.passes_on:
            return False  # closes this side, and `lost` the other once it has been written out
        self.connection.client_ended()
        return True


class _Server(_Side):
    # A backing service that has ended sends no response any more: the connection is closed as a whole. Half-closed, it
    # would stay for as long as the client keeps it in its pool.

    def data_received(self, data: bytes) -> None:
        self.connection.from_server(data)


class Connection:
    """A client's connection and the one to the backing service that belongs to it."""

    def __init__(self, proxy: ConnectionOwner) -> None:
        self._proxy = proxy
        self.client: _Side = _Client(self)
        self._server: _Side = _Server(self)
        self._connecting: asyncio.Task[None] | None = None
        self._delay: asyncio.TimerHandle | None = None
        self._half_open: asyncio.TimerHandle | None = None
        self._early: list[bytes] = []  # what the client sent before the backing service was reached
        self._client_has_ended = False
        self._wire = proxy.wire
        self._reader = proxy.wire.reader(proxy.hosts)
        self._is_to_fail = False  # the request that has begun
        self._is_response_due = False
        self._is_spoilt = False
        self._is_over = False

    @property
    def passes_on(self) -> bool:
        """Whether the two sockets are joined."""
        return self._proxy.fault.kind in (Kind.NONE, Kind.SLOW) and not self._is_spoilt

    @property
    def is_stalled(self) -> bool:
        """Whether the backing service pretends not to notice anything."""
        return self._proxy.fault.kind is Kind.STALL

    @property
    def is_waiting(self) -> bool:
        """Whether a response is being held back."""
        return self._delay is not None

    def opened(self) -> None:
        """Join a new client with the backing service, or not."""
        self._proxy.connections.add(self)
        if self.is_stalled:
            self._is_spoilt = True
            return
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def from_client(self, data: bytes) -> None:
        """Take what the client sends."""
        if self._server.transport is None and not self.is_stalled and self.client.transport is not None:
            self._early.append(data)
            self.client.transport.pause_reading()
            return
        if self.is_stalled or self._is_spoilt:
            self._is_spoilt = True  # what is lost now would be missing later
            return
        if not self._reader.is_pending:
            # Responses come in the order of requests: one that the backing service still owes comes first.
            self._is_to_fail = self._proxy.fault.kind is Kind.ERROR and not self._is_response_due
        try:
            requests = self._reader.feed(data) if self._is_to_fail or self._wire.reads_always else []
        except ValueError:  # it does not speak the protocol
            self.reset()
            return
        if self._reader.error_response is not None:
            self.client.write(self._reader.error_response)
            self._close()
        elif not self._is_to_fail or self._wire.is_handshake(requests):
            self._is_response_due = True
            self._server.write(data)
        elif self._proxy.fault.kind is not Kind.ERROR:
            self.reset()  # the fault ended in the middle of a request
        else:
            self._respond_with_errors(requests)

    def from_server(self, data: bytes) -> None:
        """Take a part of a response."""
        if self.is_stalled or self._is_spoilt:
            self._is_spoilt = True
            return
        is_first = self._is_response_due
        self._is_response_due = False
        if self._half_open is not None:
            self._expect_end()
        if is_first and self._proxy.on_error is not None and data.startswith(_HTTP_ERRORS):
            self._proxy.on_error(data)
        fault = self._proxy.fault
        if fault.kind is Kind.SLOW and is_first and self._server.transport is not None:
            self._server.transport.pause_reading()
            loop = asyncio.get_running_loop()
            self._delay = loop.call_later(fault.delay_ms / 1000, self._respond_late, data)
        else:
            self.client.write(data)

    def fault_changed(self) -> None:
        """Adapt to the proxy's new fault."""
        kind = self._proxy.fault.kind
        if kind is Kind.REFUSE or (self._is_spoilt and kind is not Kind.STALL):
            self.reset()

    def reset(self) -> None:
        """End both sides at once."""
        self._is_over = True
        for timer in (self._delay, self._half_open):
            if timer is not None:
                timer.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
        self.client.reset()
        self._server.reset()
        self._proxy.connections.discard(self)

    def client_ended(self) -> None:
        """Pass the end of the requests on, and close soon after the last response."""
        self._client_has_ended = True
        server = self._server.transport
        if self.client.peer is not None and server is not None and not server.is_closing():
            server.write_eof()
            self._expect_end()

    def _expect_end(self) -> None:
        if self._half_open is not None:
            self._half_open.cancel()
        self._half_open = asyncio.get_running_loop().call_later(_HALF_OPEN_SECONDS, self._end_half_open)

    def lost(self, side: _Side) -> None:
        """End the other side with the one that is gone."""
        if self._is_over:
            return
        self._is_over = True
        if self._half_open is not None:
            self._half_open.cancel()
        other = self._server if side is self.client else self.client
        if self._connecting is not None:
            self._connecting.cancel()
        if other is self.client and self._delay is not None:
            return  # the response that is held back is still to be written
        if other.transport is not None:
            other.transport.close()
        self._proxy.connections.discard(self)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._server, *self._proxy.target)
        except OSError:
            self.reset()
            return
        self.client.peer, self._server.peer = self._server, self.client
        if self.client.transport is not None and not self.client.transport.is_closing():
            early, self._early = self._early, []
            for data in early:
                self.from_client(data)
            self.client.transport.resume_reading()
            if self._client_has_ended:
                self.client_ended()

    def _end_half_open(self) -> None:
        self._half_open = None
        server = self._server.transport
        if server is None or server.is_closing():
            return
        if self._is_response_due or not server.is_reading():  # it is late, or the client reads slowly
            self._expect_end()
        else:
            server.close()

    def _respond_late(self, data: bytes) -> None:
        self._delay = None
        if self.is_stalled or self._is_spoilt:
            self._is_spoilt = True
            return
        self.client.write(data)
        if self._is_over and self.client.transport is not None:
            self.client.transport.close()
            self._proxy.connections.discard(self)
        elif self._server.transport is not None and not self._server.transport.is_closing():
            self._server.transport.resume_reading()

    def _respond_with_errors(self, requests: list[Any]) -> None:
        """Answer complete requests with the fault's error."""
        if self._wire.closes_after_error:
            requests = requests[:1]
        for response in [self._wire.error(self._proxy.fault.error, request) for request in requests]:
            self.client.write(response)
            self._proxy.count_error()
        if requests and self._wire.closes_after_error:
            self._close()

    def _close(self) -> None:
        """End both sides once the response is on its way."""
        self._is_over = True
        for side in (self.client, self._server):
            if side.transport is not None:
                side.transport.close()
        self._proxy.connections.discard(self)
