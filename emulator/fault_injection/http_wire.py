"""HTTP/1.1 as a proxy sees it: where a request ends, whether it may come in, and what an error looks like.

Any page in a browser can send requests to a port of this machine, and reads the responses once its own name leads here
("DNS rebinding"). Such a page cannot choose the headers `Host` and `Origin`, so these are checked.

Source: RFC 9110, section 7.2 (Host); the Fetch Standard, "`Origin` header"; Amazon S3 User Guide, "Sharing objects with
presigned URLs".
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, Final

import httptools

from emulator.fault_injection.fault import FaultError

_MAXIMUM_HEAD_BYTES: Final = 64 * 1024
_RETRY_AFTER_SECONDS: Final = 1
_PRESIGNED: Final = b"x-amz-signature="


@dataclass(frozen=True)
class Head:
    """The head of a request; the names of headers are in lower case."""

    method: bytes
    target: bytes
    headers: Mapping[bytes, bytes]


@dataclass(frozen=True)
class ErrorBody:
    """What a backing service says of an error of its own."""

    content: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpWire:
    """HTTP of one backing service. `error_body` words its errors; `closed_path` is a path that leads nowhere."""

    error_body: Callable[[int, Head], ErrorBody]
    usual_status: int = 503
    closed_path: str = ""

    reads_always: ClassVar = True
    closes_after_error: ClassVar = True

    def reader(self, hosts: Collection[bytes]) -> HttpReader:
        """Return what reads the requests of one connection; `hosts` are values of Host that are let in."""
        return HttpReader(lambda head: self._error_response(head, hosts))

    def check_error(self, name: str, error: str) -> None:
        """Raise FaultError when the backing service `name` cannot answer with `error`."""
        if error and not (error.isdigit() and 400 <= int(error) <= 599):
            raise FaultError(f"{name} cannot answer with error:{error}: use a status from 400 to 599.")

    def is_handshake(self, _: Collection[Head]) -> bool:
        """Tell whether requests only set the connection up: HTTP has none."""
        return False

    def error(self, error: str, head: Head) -> bytes:
        """Return the response with the status `error`, without one the usual status, to the request of `head`."""
        status = int(error or self.usual_status)
        body = self.error_body(status, head)
        headers = {**body.headers, **({"retry-after": str(_RETRY_AFTER_SECONDS)} if status in (429, 503) else {})}
        return _response(status, head, body.media_type, body.content, headers)

    def _error_response(self, head: Head, hosts: Collection[bytes]) -> bytes | None:
        """Return the response to a request that may not come in, None for any other."""
        path, _, query = head.target.partition(b"?")
        sentence = ""
        # A target that is a whole URL counts instead of the Host (RFC 9112, section 3.2.2).
        if head.headers.get(b"host", b"").lower() not in hosts or not path.startswith(b"/"):
            sentence = "The Host of the request is not an address of this emulator."
        # A presigned link holds its own permission: whoever gave it to a page means it to be read there.
        elif b"origin" in head.headers and _PRESIGNED not in query.lower():
            sentence = "The emulator's backing services are not for pages in a browser."
        elif self.closed_path and urllib.parse.unquote(path.decode("latin-1")).lstrip("/").startswith(self.closed_path):
            sentence = "Only the emulator itself may do this."
        return _response(403, head, "text/plain; charset=utf-8", f"{sentence}\n".encode(), {}) if sentence else None


class HttpReader:
    """The requests of one connection. Bodies are not kept."""

    def __init__(self, error_for: Callable[[Head], bytes | None]) -> None:
        self._error_for = error_for
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._complete: list[Head] = []
        self._head: Head | None = None
        self._waits = False
        self.is_pending = False
        """Whether a request has begun and is not complete."""
        self.error_response: bytes | None = None
        """The response to the first request that may not come in."""

    def feed(self, data: bytes) -> list[Head]:
        """Return the heads of the requests that are complete with `data`.

        One that expects 100-continue is complete with its head. Raises ValueError when these are no requests.
        """
        self._complete = []
        self._head_bytes += len(data) if self._head is None else 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise ValueError(f"These are no requests of HTTP/1.1: {error}") from error
        if self._head is None and self._head_bytes > _MAXIMUM_HEAD_BYTES:
            raise ValueError("The head of the request has no end")
        return self._complete

    def on_message_begin(self) -> None:
        """Forget the request before."""
        self._target, self._headers, self._head, self.is_pending = b"", {}, None, True

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; several of one name are one, separated by commas."""
        name = name.lower()
        self._headers[name] = b", ".join((self._headers[name], value)) if name in self._headers else value

    def on_headers_complete(self) -> None:
        """Look whether the request may come in."""
        self._head = Head(self._parser.get_method(), self._target, self._headers)
        self._head_bytes = 0
        self.error_response = self.error_response or self._error_for(self._head)
        self._waits = self._headers.get(b"expect", b"").lower() == b"100-continue"
        if self._waits:
            self._complete.append(self._head)

    def on_message_complete(self) -> None:
        """End the request."""
        if self._head is not None and not self._waits:
            self._complete.append(self._head)
        self._head, self.is_pending = None, False


def _response(status: int, head: Head, media_type: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Overloaded" if status == 529 else "Unknown"
    fields = {**headers, "content-type": media_type, "content-length": str(len(body)), "connection": "close"}
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head.method == b"HEAD" else body)
