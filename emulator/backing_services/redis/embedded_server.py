"""The embedded Redis: the TCP server of fakeredis, with its password enforced and its answers as Redis writes them.

A program: `embedded_server.py PORT`, its password in an environment variable. It runs in a process of its own because
each connection is a thread, which takes part in no event loop. Four differences to fakeredis 2.40:

* a password is enforced (fakeredis accepts AUTH and never asks for it);
* Nagle's algorithm is off (MULTI/EXEC takes 1 ms instead of 44);
* a value is answered as a bulk string, as Redis does, not as a status line;
* an error keeps its first word (`WRONGTYPE`) and does not close the connection.
"""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

from fakeredis._clients import _tcp_server
from fakeredis._clients._sync import FakeRedisConnection
from fakeredis._clients._tcp_server import TCPFakeRequestHandler, TcpFakeServer, Writer, encode_reply
from fakeredis._helpers import SimpleError, SimpleString
from fakeredis._socket import FakeSocket

from emulator.backing_services.redis.gate import PASSWORD_VARIABLE, Gate
from emulator.ports import LOOPBACK

_BACKLOG = 128
# Bounds how late a published message is, which the shop does not use; fakeredis' own 10 ms cost sixteen idle
# connections 5 % of a core.
_tcp_server._POLL_INTERVAL = 0.1  # noqa: SLF001


class Status(bytes):
    """An answer that Redis sends as a status line (`+OK`)."""


class GuardedSocket(FakeSocket):
    """Runs the commands of one connection, once it may."""

    gate: Gate | None = None

    def _process_command(self, fields: list[bytes]) -> None:
        if not fields:
            return
        fields, answer = self.gate.admit(fields) if self.gate else (fields, None)
        if answer is None:
            super()._process_command(fields)
        else:
            self.put_response(Status(b"OK") if answer == "OK" else SimpleError(answer))

    def _decode_result(self, result: Any) -> Any:
        if isinstance(result, SimpleError):
            return result  # an exception of redis-py would lose its first word and close the connection
        return Status(result.value) if isinstance(result, SimpleString) else super()._decode_result(result)


class GuardedConnection(FakeRedisConnection):
    """Makes guarded sockets."""

    required_password: ClassVar[bytes | None] = None

    def connect(self) -> None:
        """Make a socket, behind a closed gate when there is a password."""
        if not self._sock:
            super().connect()  # a handshake of its own, before the client has said anything
            self.get_socket().gate = Gate(self.required_password)  # type: ignore[attr-defined]

    def _connect(self) -> FakeSocket:
        assert self._server is not None  # noqa: S101
        return GuardedSocket(
            self._server,
            client_class=self._client_class,
            db=self.db,
            lua_modules=self._lua_modules,
            client_info=self._client_info,
        )


class ExactWriter(Writer):
    """Writes answers as Redis does."""

    def dump(self, value: Any) -> None:
        """Send one answer."""
        if type(value) is bytes:
            self.write(b"$%d\r\n%s\r\n" % (len(value), value))
        else:
            self.write(encode_reply(value, self.request_handler.protocol_version))


class Handler(TCPFakeRequestHandler):
    """Serves one connection."""

    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Accept the connection."""
        super().setup()
        self.writer = ExactWriter(self.client_address, self.wfile, self)
        self.current_client = self.server.clients[self.client_address] = GuardedConnection(
            server=self.server.fake_server,
            writer=self.writer,
            client_info={
                "laddr": self.connection.getsockname(),
                "addr": self.connection.getpeername(),
                "fd": self.connection.fileno(),
            },
            protocol=2,
        )


def serve(port: int, password: str | None) -> None:
    """Serve on the loopback interface until the process is ended."""
    GuardedConnection.required_password = password.encode() if password else None
    server = TcpFakeServer((LOOPBACK, port), server_version=(7, 0))
    server.RequestHandlerClass = Handler
    server.socket.listen(_BACKLOG)
    print(f"Serving on {LOOPBACK}:{port}, password {'required' if password else 'not required'}.")
    server.serve_forever(poll_interval=3600)


if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]), os.environ.pop(PASSWORD_VARIABLE, None))
    except OSError as error:
        sys.exit(f"Port {sys.argv[1]} cannot be used: {error.strerror}.")
