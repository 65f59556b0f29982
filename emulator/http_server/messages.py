"""Requests, responses, and how large and slow a request may be."""

from __future__ import annotations

import http
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Header = tuple[bytes, bytes]
_REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}


class Answers(Protocol):
    """What a request needs of its connection."""

    @property
    def client(self) -> tuple[str, int] | None:
        """Return the client's host and port."""

    @property
    def is_closed(self) -> bool:
        """Tell whether the client is gone."""

    @property
    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""

    def respond(self, request: Request, response: Response) -> None:
        """Write the answer."""


@dataclass(frozen=True)
class Response:
    """An answer. `headers` has neither Content-Length nor Connection: the server writes both."""

    status: int
    headers: Sequence[Header] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Limits:
    """What a server takes.

    Bytes of a request's head (first line and headers) and of its body; seconds that the head may take to arrive, and
    that a client may pause while it sends the body; seconds that a connection may idle. None is for ever.
    """

    head_bytes: int = 64 * 1024
    body_bytes: int = 16 * 1024 * 1024
    sending_seconds: float | None = None
    idle_seconds: float | None = None


class Request:
    """A request that has been read to its end.

    `headers` keep their case and order. `body` is without its coding; what followed a chunked one is in `trailers`.
    `is_too_large`: the body was over the limit, and is empty. `client` is (host, port), or None on a unix socket.
    `on_gone` is called when the client closes the connection before it is answered.
    """

    __slots__ = (
        "_connection",
        "body",
        "client",
        "headers",
        "is_too_large",
        "method",
        "on_gone",
        "target",
        "trailers",
        "version",
    )

    def __init__(
        self,
        connection: Answers,
        method: str,
        target: bytes,
        version: str,
        headers: list[Header],
        body: bytes,
        *,
        trailers: list[Header],
        is_too_large: bool,
    ) -> None:
        self._connection = connection
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.trailers = trailers
        self.is_too_large = is_too_large
        self.client = connection.client
        self.on_gone: Callable[[], None] | None = None

    @property
    def is_gone(self) -> bool:
        """Tell whether the client has closed the connection: an answer reaches nobody."""
        return self._connection.is_closed

    @property
    def is_connection_closing(self) -> bool:
        """Tell whether the connection is closed, or will be once what was written is sent."""
        return self._connection.is_closing

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a header; `name` is in lower case."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

    def respond(self, response: Response) -> None:
        """Answer; a client that is gone gets nothing. To be called once."""
        self._connection.respond(self, response)


@dataclass
class Message:
    """A request while it is read."""

    target: bytearray = field(default_factory=bytearray)
    headers: list[Header] = field(default_factory=list)
    trailers: list[Header] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    """The bytes of the body that have come; one that is too large is not kept."""
    asks_first: bool = False
    """Whether the client waits to be told to send the body."""


def response_head(response: Response, *, keep_alive: bool, is_1_0: bool) -> bytes:
    """Return the status line and the headers, with Content-Length and Connection, and the empty line after them."""
    status = response.status
    lines = [b"HTTP/1.1 %d %s" % (status, _REASONS.get(status, b""))]
    lines += [b"%s: %s" % header for header in response.headers]
    if status >= 200 and status not in (204, 304):
        lines.append(b"content-length: %d" % len(response.body))
    if not keep_alive:
        lines.append(b"connection: close")
    elif is_1_0:
        lines.append(b"connection: keep-alive")
    lines.append(b"\r\n")
    return b"\r\n".join(lines)
