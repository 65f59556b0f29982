"""A client of a debugger: the Debug Adapter Protocol over TCP, as an editor speaks it (its page "Specification")."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Self

PATIENCE_SECONDS = 60


class DebugClient:
    """One connection. Requests and events are those of the specification, by their names."""

    def __init__(self, port: int) -> None:
        self._connection = _connection(port)
        self._stream = self._connection.makefile("rwb")
        self._sent = 0
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._connection.close()

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request and return its number."""
        self._sent += 1
        request = {"seq": self._sent, "type": "request", "command": command, "arguments": arguments}
        content = json.dumps(request).encode()
        self._stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self._stream.flush()
        return self._sent

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a request and return the body of its response."""
        return self.response(self.send(command, **arguments))

    def response(self, number: int) -> Any:
        """Return the body of the response to the request of that number."""
        while True:
            message = self._receive()
            if message["type"] == "response" and message["request_seq"] == number:
                assert message["success"], message
                return message.get("body")
            if message["type"] == "event":
                self._events.append(message)

    def event(self, name: str) -> Any:
        """Return the body of the next event of that name."""
        while True:
            for message in self._events:
                if message["event"] == name:
                    self._events.remove(message)
                    return message.get("body")
            message = self._receive()
            if message["type"] == "event":
                self._events.append(message)

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._stream.readline().strip():
            name, _, value = line.partition(b":")
            if name == b"Content-Length":
                length = int(value)
        assert length, "the debugger has closed the connection"
        message: dict[str, Any] = json.loads(self._stream.read(length))
        return message


def _connection(port: int) -> socket.socket:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        except OSError:
            assert time.monotonic() < deadline, "no debugger listens"
            time.sleep(0.1)
