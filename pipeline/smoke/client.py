"""One deployment over HTTP, as its front ends reach it: every request ends within a given time."""

from __future__ import annotations

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
_LONGEST_ANSWER: Final = 8 * 1024 * 1024


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
        except ValueError:
            raise UnexpectedError(f"expected JSON, came {self.described}") from None

    @property
    def described(self) -> str:
        """The status and the beginning of the body, on one line."""
        text = " ".join(self.body[:400].decode(errors="replace").split())
        return f"{self.status} {text[:160]}".rstrip()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none: a redirect is an answer to be looked at."""


class Deployment:
    """What answers at a base URL, which may end in a path (a stage's, a mapping's).

    `api_key` goes with the requests that ask for it. No request runs past `deadline`, a time of `time.monotonic`.
    """

    def __init__(self, url: str, *, api_key: str = "", deadline: float = float("inf")) -> None:
        self.url = _checked(url)
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
    ) -> Answer:
        """Return the answer, whatever its status; `body` is sent as JSON. Raises UnreachableError."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"accept": "*/*", "user-agent": "shop-on-sam-smoke"} | dict(headers or {})
        if data is not None:
            sent["content-type"] = "application/json"
        if with_key and self.api_key:
            sent["x-api-key"] = self.api_key
        request = urllib.request.Request(self.url + path, data, sent, method=method)  # noqa: S310 (checked: http or https)
        seconds = min(REQUEST_SECONDS, self._deadline - time.monotonic())
        if seconds < _SHORT_REQUEST_SECONDS:
            raise UnreachableError("The time for all checks is over; a larger --deadline gives them more.")
        try:
            return self._answer(request, seconds)
        except urllib.error.URLError as error:
            raise _unreachable(self.url, error.reason, seconds) from error
        except (OSError, ValueError) as error:  # a connection that breaks off, an answer that is not HTTP
            raise _unreachable(self.url, error, seconds) from error

    def _answer(self, request: urllib.request.Request, seconds: float) -> Answer:
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                return _read(answer, answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error, error.code)


def _read(answer: Any, status: int) -> Answer:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status, headers, answer.read(_LONGEST_ANSWER))


def _checked(url: str) -> str:
    """Return `url` without its last slash. Raises UnreachableError for what is no http or https URL."""
    parts = urllib.parse.urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
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
    return UnreachableError(f"{url} does not answer ({reason}): check the URL and the network.")
