"""One JSON request to a backing service over HTTP, through one connection pool per execution environment.

urllib3 is what botocore uses, so it is in the package anyway; an SDK for one POST costs seconds of import. urllib3 is
imported at the first request, because the health route needs none.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

MAXIMUM_RESPONSE_BYTES = 4 * 1024 * 1024
CONNECT_TIMEOUT_SECONDS = 2.0
_CHUNK_BYTES = 64 * 1024

_pool: PoolManager | None = None
_lock = threading.Lock()


@dataclass(frozen=True)
class Response:
    """A response. `headers` are found in any letter case; `body` is the parsed JSON, None when there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


def request_json(
    method: str,
    url: str,
    *,
    backing_service: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float,
) -> Response:
    """Send `body` as JSON and return the answer, whatever its status.

    Every request must be one that may run twice: a connection that the backing service closed while it was idle is
    noticed only at its next use, and then the request goes out once more. `timeout_seconds` is for all of it.
    Redirects are not followed, certificates are checked. Raises BackingServiceError when no answer can be had in time,
    or one of more than MAXIMUM_RESPONSE_BYTES.
    """
    sent = {"Accept": "application/json", **(headers or {})}
    content = None
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        sent.setdefault("Content-Type", "application/json")
    end = time.monotonic() + timeout_seconds
    with request_metrics.backing_service(backing_service):
        return _send(method, url, backing_service, content, sent, end)


def _send(
    method: str, url: str, backing_service: str, content: bytes | None, headers: Mapping[str, str], end: float
) -> Response:
    from urllib3 import Timeout
    from urllib3.exceptions import HTTPError, ProtocolError

    attempts_left = 2
    while True:
        attempts_left -= 1
        remaining = max(0.01, end - time.monotonic())
        timeout = Timeout(total=remaining, connect=min(CONNECT_TIMEOUT_SECONDS, remaining))
        try:
            response = _pool_manager().request(
                method,
                url,
                body=content,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                return Response(response.status, response.headers, _parse(_read(response, backing_service, end)))
            except BaseException:
                # What is left of the answer must not be taken for the next one.
                response.close()
                raise
            finally:
                response.release_conn()
        except ProtocolError as error:
            if attempts_left and time.monotonic() < end and _was_dropped(error):
                continue
            raise BackingServiceError(backing_service, "the connection was lost") from error
        except (HTTPError, OSError) as error:
            raise BackingServiceError(backing_service, _reason(error)) from error


def _read(response: BaseHTTPResponse, backing_service: str, end: float) -> bytes:
    content = bytearray()
    while True:
        # The time-out of a socket is for one read; a backing service that trickles or stalls must not hold the request.
        remaining = end - time.monotonic()
        if remaining <= 0:
            raise BackingServiceError(backing_service, "no answer in time")
        waiting = _socket(response)
        if waiting is not None:
            waiting.settimeout(remaining)
        chunk = response.read1(_CHUNK_BYTES)
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > MAXIMUM_RESPONSE_BYTES:
            raise BackingServiceError(backing_service, "the answer is too large")


def _socket(response: BaseHTTPResponse) -> socket.socket | None:
    """Return the socket that `response` is read from, None when it was read already."""
    connection = getattr(response, "connection", None)
    if connection is None:
        return None
    # http.client gives the socket away to an answer after which the connection is closed.
    buffered = getattr(getattr(response, "_fp", None), "fp", None)
    return connection.sock or getattr(getattr(buffered, "raw", None), "_sock", None)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _was_dropped(error: Exception) -> bool:
    import http.client

    dropped = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
    return any(isinstance(part, dropped) for part in (error, error.__cause__, *error.args))


def _reason(error: Exception) -> str:
    from urllib3.exceptions import NameResolutionError, NewConnectionError, SSLError
    from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

    for kinds, reason in (
        (NameResolutionError, "its name cannot be resolved"),
        # Before the time-out, of which urllib3 makes it a kind.
        (NewConnectionError, "the connection was refused"),
        (Urllib3TimeoutError, "no answer in time"),
        (SSLError, "TLS failed"),
    ):
        if isinstance(error, kinds):
            return reason
    return "the connection failed"


def _pool_manager() -> PoolManager:
    global _pool
    if _pool is None:
        with _lock:
            if _pool is None:
                from urllib3 import PoolManager

                _pool = PoolManager(num_pools=4, maxsize=8, block=False)
    return _pool


def forget() -> None:
    """Close every connection."""
    global _pool
    with _lock:
        if _pool is not None:
            _pool.clear()
            _pool = None
