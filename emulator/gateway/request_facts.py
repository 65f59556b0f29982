"""What is known of a request before it has a route: the same for both kinds of API."""

from __future__ import annotations

import functools
import random
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_to_bytes

from emulator.http_server import Request

_HOP_BY_HOP = frozenset(
    (b"connection", b"expect", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Facts:
    """A request as events describe it. `path` is decoded; `headers` are (name as sent, value) without hop-by-hop ones.

    `host` is the Host header without its port.
    """

    request: Request
    method: str
    path: str
    raw_query: str
    headers: list[tuple[str, str]]
    host: str
    source_ip: str
    user_agent: str
    trace_root: str
    port: int
    began: float = field(default_factory=time.time)

    @classmethod
    def of(cls, request: Request, port: int) -> Facts:
        """Read `request`, which came to `port`."""
        path, _, query = request.target.partition(b"?")
        if not path.startswith(b"/"):  # absolute form (RFC 9112, 3.2.2), as proxies send it
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        headers: list[tuple[str, str]] = []
        host = user_agent = trace = ""
        for name, value in request.headers:
            lower = name.lower()
            if lower in _HOP_BY_HOP:
                continue
            text = value.decode("latin-1")
            if lower == b"host":
                host = text
            elif lower == b"user-agent":
                user_agent = text
            elif lower == b"x-amzn-trace-id":
                trace = text
            headers.append((name.decode("latin-1"), text))
        return cls(
            request=request,
            method=request.method,
            path=unquote_to_bytes(path).decode("utf-8", "replace"),
            raw_query=query.decode("latin-1"),
            headers=headers,
            host=_without_port(host),
            source_ip=request.client[0] if request.client else "127.0.0.1",
            user_agent=user_agent,
            trace_root=trace or f"Root=1-{int(time.time()):08x}-{random.getrandbits(96):024x}",
            port=port,
        )

    def header(self, lower_name: str) -> str | None:
        """Return the first value of a header."""
        for name, value in self.headers:
            if name.lower() == lower_name:
                return value
        return None

    def forwarded_for(self) -> str:
        """Return X-Forwarded-For with the client's address at its end."""
        before = [value for name, value in self.headers if name.lower() == "x-forwarded-for" and value]
        return ", ".join([*before, self.source_ip])

    def query(self) -> list[tuple[str, str]]:
        """Return the query's parameters in order, decoded."""
        return parse_qsl(self.raw_query, keep_blank_values=True, errors="replace") if self.raw_query else []

    def time(self) -> str:
        """Return when the request came, in Common Log Format."""
        return _common_log_time(int(self.began))

    def time_epoch(self) -> int:
        """Return when the request came, in milliseconds."""
        return int(self.began * 1000)

    def protocol(self) -> str:
        """Return the protocol as events have it."""
        return f"HTTP/{self.request.version}"


def short_request_id() -> str:
    """Return an id as HTTP APIs give it: fifteen characters and "="."""
    return f"{random.getrandbits(60):015x}="


@functools.lru_cache(maxsize=2)
def _common_log_time(second: int) -> str:
    moment = time.gmtime(second)
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    return f"{moment.tm_mday:02}/{_MONTHS[moment.tm_mon - 1]}/{moment.tm_year}:{clock} +0000"


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
