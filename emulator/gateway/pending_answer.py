"""The one answer that a request gets, whoever gives it first, and its line in the access log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from typing import Any

from emulator.gateway.access_log import AccessLog
from emulator.gateway.request_facts import Facts
from emulator.http_server import Header, Response
from emulator.metrics import RouteMetrics

JSON: Header = (b"content-type", b"application/json")


def message(status: int, text: str | None, *headers: Header) -> Response:
    """Return API Gateway's own answer, as both kinds of API give it."""
    return Response(status, (JSON, *headers), json.dumps({"message": text}, separators=(",", ":")).encode())


class PendingAnswer:
    """Answers `facts.request` once. `finish(headers)` returns the headers of every answer of the API.

    `values` are the values of `$context` that are known so far; they are asked for only where a log is kept. `record`
    gets the event that a function was called with, and the answer. `authorizer` is what a log has as
    `$context.authorizer`.
    """

    __slots__ = (
        "_finish",
        "authorizer",
        "event",
        "facts",
        "integration_ms",
        "integration_status",
        "is_given",
        "log",
        "record",
        "route_key",
        "routes",
        "values",
    )

    _clock: tuple[int, Header] = (0, (b"date", b""))

    def __init__(self, facts: Facts, finish: Callable[[Sequence[Header]], list[Header]], routes: RouteMetrics) -> None:
        self.facts = facts
        self.routes = routes
        self.route_key = ""
        self.is_given = False
        self.log: AccessLog | None = None
        self.values: Callable[[], Mapping[str, object]] = dict
        self.authorizer: Mapping[str, object] = {}
        self.event: Mapping[str, Any] | None = None
        self.record: Callable[[Mapping[str, Any], Response], None] | None = None
        self.integration_ms: float | None = None
        self.integration_status: int | None = None
        self._finish = finish

    def give(self, response: Response, *, error: str = "", gateway_error: str = "") -> None:
        """Answer, unless that was done. `error` is the integration's, `gateway_error` API Gateway's own."""
        if self.is_given:
            return
        self.is_given = True
        headers = self._finish(response.headers)
        headers.append(self._now())
        whole = Response(response.status, headers, response.body)
        self.facts.request.respond(whole)
        self.routes.add(self.route_key, response.status)
        if self.log is not None:
            self.log.write(self._context(response, error, gateway_error))
        if self.record is not None and self.event is not None:
            self.record(self.event, whole)

    def integrated(self, began: float, status: int = 200) -> None:
        """Note that the integration that was called at `began` (on the monotonic clock) has answered."""
        self.integration_ms = (time.monotonic() - began) * 1000
        self.integration_status = status

    def _now(self) -> Header:
        # Formatting a date costs more than everything else here; it changes once a second.
        second = int(time.time())
        kept = PendingAnswer._clock
        if kept[0] != second:
            kept = PendingAnswer._clock = (second, (b"date", formatdate(second, usegmt=True).encode()))
        return kept[1]

    def _context(self, response: Response, error: str, gateway_error: str) -> dict[str, object]:
        facts = self.facts
        latency = int((time.time() - facts.began) * 1000)
        integration = None if self.integration_ms is None else int(self.integration_ms)
        return {
            "httpMethod": facts.method,
            "identity.sourceIp": facts.source_ip,
            "identity.userAgent": facts.user_agent,
            "path": facts.path,
            "protocol": facts.protocol(),
            "requestTime": facts.time(),
            "requestTimeEpoch": facts.time_epoch(),
            "responseLatency": latency,
            "responseLength": len(response.body),
            "status": response.status,
            "dataProcessed": len(facts.request.body) + len(response.body),
            "integration.latency": integration,
            "integrationLatency": integration,
            "integration.integrationStatus": self.integration_status,
            "integration.status": self.integration_status and response.status,
            "integrationStatus": self.integration_status,
            "integration.error": error,
            "integrationErrorMessage": error,
            "error.message": gateway_error,
            "error.messageString": gateway_error,
            **{f"authorizer.{name}": value for name, value in self.authorizer.items()},
            **self.values(),
        }
