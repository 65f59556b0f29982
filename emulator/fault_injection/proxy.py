"""A TCP proxy in front of a backing service, which plays the backing service's faults."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, Self

from emulator.fault_injection.connection import Connection
from emulator.fault_injection.fault import NONE, Fault, Kind
from emulator.fault_injection.wire import Wire
from emulator.processes.ports import LOOPBACK

_BACKLOG: Final = 512
_NAMES: Final = (LOOPBACK, "localhost", "[::1]")


class Proxy:
    """Listens at `host` on a port of its own, the same from `start` to `stop`, and passes on to the target.

    `name` is what people call the backing service, `reached_as` the host under which functions reach the proxy. A
    backing service that is really down resets its clients' connections. `on_error` is called with the first bytes, the
    head among them, of each HTTP error that the backing service itself answers.
    """

    def __init__(
        self,
        target_host: str,
        target_port: int,
        wire: Wire,
        *,
        name: str,
        host: str = LOOPBACK,
        port: int = 0,
        reached_as: str = LOOPBACK,
    ) -> None:
        self.target = (target_host, target_port)
        self.wire = wire
        self.name = name
        self.fault: Fault = NONE
        self.connections: set[Connection] = set()
        self.on_error: Callable[[bytes], None] | None = None
        self.host = host
        self.port = port
        self._reached_as = reached_as
        self._held: socket.socket | None = None
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at: float | None = None
        self._changing = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self.port:
            _bound(self.host, self.port, share=False).close()
        # A second socket, bound but never listening, keeps the port while the backing service "refuses".
        self._held = _bound(self.host, self.port)
        self.port = self._held.getsockname()[1]
        await self._listen()

    async def stop(self) -> None:
        """Close everything; harmless when it is closed already."""
        self._forget_timer()
        self._close_listener()
        for connection in list(self.connections):
            connection.reset()
        if self._held is not None:
            self._held.close()
            self._held = None
        await asyncio.sleep(0)  # transports close their sockets in the next round of the loop

    async def set_fault(self, fault: Fault) -> None:
        """Play `fault` from now on, on open connections as well. Raises FaultError, as `check`."""
        self.check(fault)
        async with self._changing:
            self._forget_timer()
            self.fault = fault
            if fault.kind is Kind.REFUSE:
                self._close_listener()
            elif self._listener is None and self._held is not None:
                await self._listen()
            for connection in list(self.connections):
                connection.fault_changed()
            if fault.seconds is not None:
                self._ends_at = time.monotonic() + fault.seconds
                self._timer = asyncio.get_running_loop().call_later(fault.seconds, self._recover)

    def describe(self) -> str:
        """Return the fault as text, with the seconds that are left of it."""
        if self._ends_at is None:
            return str(self.fault)
        left = max(0.0, self._ends_at - time.monotonic())
        return f"{replace(self.fault, seconds=None)} ({left:.0f} s left)"

    @property
    def hosts(self) -> Collection[bytes]:
        """The values of the header Host that a client of this proxy may send."""
        return {f"{name}:{self.port}".lower().encode() for name in (*_NAMES, self.host, self._reached_as)}

    def count_error(self) -> None:
        """Count an error that was answered; the last one ends the fault."""
        if self.fault.kind is Kind.ERROR and self.fault.count is not None:
            if self.fault.count > 1:
                self.fault = replace(self.fault, count=self.fault.count - 1)
            else:
                self._forget_timer()
                self.fault = NONE

    def check(self, fault: Fault) -> None:
        """Raise FaultError when the backing service has no such error."""
        if fault.kind is Kind.ERROR:
            self.wire.check_error(self.name, fault.error)

    def _recover(self) -> None:
        task = asyncio.get_running_loop().create_task(self.set_fault(NONE))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _forget_timer(self) -> None:
        self._ends_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        listening = _bound(self.host, self.port)
        self._listener = await loop.create_server(lambda: Connection(self).client, sock=listening, backlog=_BACKLOG)

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _bound(host: str, port: int, *, share: bool = True) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound
