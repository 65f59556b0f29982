"""One deployment over HTTP, as its front ends reach it: every request ends within a given time."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REQUEST_SECONDS: Final = 35.0
"""API Gateway gives up after 30 (Amazon API Gateway Developer Guide, "Quotas for HTTP APIs")."""
_SHORT_REQUEST_SECONDS: Final = 0.5
_CLEANING_SECONDS: Final = 10.0
_LONGEST_ANSWER: Final = 8 * 1024 * 1024
_PIECE: Final = 64 * 1024


class UnreachableError(Exception):
    """No answer came; the message is one sentence with the remedy. `may_come` tells whether waiting can help."""

    def __init__(self, message: str, *, may_come: bool = False) -> None:
        super().__init__(message)
        self.may_come = may_come


class UnexpectedError(Exception):
    """Another answer came than the one expected; the message says both."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON. Raises UnexpectedError when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UnexpectedError(f"expected JSON, came {self.described}") from None

    @property
    def described(self) -> str:
        """The status, where a redirect leads, and the beginning of the body, on one line."""
        start = self.body[:400].decode(errors="replace")
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())
        target = f"to {self.headers['location']} " if "location" in self.headers and self.status // 100 == 3 else ""
        return f"{self.status} {target}{text[:160]}".rstrip()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none: a redirect is an answer to be looked at."""


class Deployment:
    """What answers at a base URL, which may end in a path (a stage's, a mapping's).

    `api_key` goes with the requests that ask for it. No request runs past `deadline`, a time of `time.monotonic`, but
    those that take away what was written. Raises UnreachableError for what is no URL, or no key.
    """

    def __init__(self, url: str, *, api_key: str = "", deadline: float = float("inf")) -> None:
        self.url = _checked(url)
        if not (api_key.isascii() and api_key.isprintable()):
            raise UnreachableError("The key for writes is none: no HTTP header can carry it; check INVENTORY_API_KEY.")
        self.api_key = api_key
        self._deadline = deadline
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if self.is_local:  # a company's proxy cannot reach this machine's loopback interface
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        host = urllib.parse.urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        with_key: bool = False,
        cleans: bool = False,
    ) -> Answer:
        """Return the answer, whatever its status; `body` is sent as JSON. Raises UnreachableError.

        A request that `cleans` up is made after the deadline too.
        """
        data = None if body is None else json.dumps(body).encode()
        sent = {"accept": "*/*", "user-agent": "shop-on-sam-smoke"} | dict(headers or {})
        if data is not None:
            sent["content-type"] = "application/json"
        if with_key and self.api_key:
            sent["x-api-key"] = self.api_key
        request = urllib.request.Request(self.url + path, data, sent, method=method)  # noqa: S310 (checked: http or https)
        left = self._deadline - time.monotonic()
        seconds = min(REQUEST_SECONDS, max(left, _CLEANING_SECONDS) if cleans else left)
        if seconds < _SHORT_REQUEST_SECONDS:
            raise UnreachableError("The time for all checks is over; a larger --deadline gives them more.")
        try:
            return self._answer(request, seconds)
        except urllib.error.URLError as error:
            raise _unreachable(self.url, error.reason, seconds) from error
        except (OSError, ValueError, http.client.HTTPException) as error:  # broken off, or not HTTP
            raise _unreachable(self.url, error, seconds) from error

    def _answer(self, request: urllib.request.Request, seconds: float) -> Answer:
        until = time.monotonic() + seconds
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                return _read(answer, answer.status, until)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error, error.code, until)


def _read(answer: Any, status: int, until: float) -> Answer:
    """Return the whole answer. Raises TimeoutError past `until`: a socket's own limit begins anew with every byte."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    body = b""
    while len(body) < _LONGEST_ANSWER and (piece := answer.read1(_PIECE)):
        body += piece
        if time.monotonic() > until:
            raise TimeoutError
    return Answer(status, headers, body)


def _checked(url: str) -> str:
    """Return `url` without its last slash. Raises UnreachableError for what is no http or https URL."""
    try:
        parts = urllib.parse.urlsplit(url.strip())
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets, or a port that is no number
        is_one = False
    is_plain = url.isascii() and not any(letter in url.strip() for letter in " @?#\\\t\n")
    if not is_one or not is_plain:
        raise UnreachableError(
            f"{url or 'An empty text'} is not the URL of a deployment: give one like https://example.com or "
            "http://127.0.0.1:3000, for example `make smoke URL=http://127.0.0.1:3000`."
        )
    return url.strip().rstrip("/")


def _unreachable(url: str, reason: object, seconds: float) -> UnreachableError:
    if isinstance(reason, socket.gaierror):
        return UnreachableError(f"The host of {url} is not known: check the URL and the network.", may_come=True)
    if isinstance(reason, ConnectionRefusedError):
        return UnreachableError(f"Nothing listens at {url}: check the URL, or start the shop.", may_come=True)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return UnreachableError(
            f"The certificate of {url} is not trusted ({reason.verify_message}): check the URL, "
            "or name your company's certificates in SSL_CERT_FILE."
        )
    if isinstance(reason, ssl.SSLError):
        return UnreachableError(f"{url} does not speak TLS: check whether it is http and not https.")
    if isinstance(reason, TimeoutError):
        return UnreachableError(f"{url} did not answer within {seconds:.0f} s: see the function's log.")
    if isinstance(reason, http.client.HTTPException) and not isinstance(reason, OSError):  # what came is not shown
        return UnreachableError(
            f"What {url} answers is not HTTP ({type(reason).__name__}): check the URL and its port."
        )
    return UnreachableError(f"{url} does not answer ({reason}): check the URL and the network.")
