"""An HTTP API: from a request to its answer.

Source: API Gateway Developer Guide, chapter "HTTP APIs"; the modules that this one calls name the sections.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.gateway import http_api_events as events
from emulator.gateway.api_server import ApiServer, payload_of
from emulator.gateway.authorizers import Authorizers, Decision
from emulator.gateway.cors import Cors, is_preflight
from emulator.gateway.definition import Api
from emulator.gateway.functions import Invocations, Invoked
from emulator.gateway.http_api_events import HttpRequest
from emulator.gateway.lambda_answers import MalformedAnswerError, answer_1_0, answer_2_0
from emulator.gateway.pending_answer import PendingAnswer, message
from emulator.gateway.request_facts import Facts, short_request_id
from emulator.gateway.routes import HttpRoutes
from emulator.http_server import Header, Request, Response

_OWN_HEADERS = frozenset((b"apigw-requestid", b"date"))
"""What API Gateway says itself, whatever the function says."""
_LOG = logging.getLogger(__name__)
NOT_FOUND = message(404, "Not Found")
TOO_LARGE = message(413, "Request Entity Too Large")
TOO_MANY = message(429, "Too Many Requests")
FAILED = message(500, "Internal Server Error")
TIMED_OUT = message(503, "Service Unavailable")


class HttpApi(ApiServer):
    """Serves one API on one port."""

    def __init__(
        self, api: Api, invocations: Invocations, authorizers: Authorizers, logs: Path, *, throttles: bool
    ) -> None:
        super().__init__(api, invocations, authorizers, logs, throttles=throttles)
        self._routes = HttpRoutes(api.routes)
        self._cors = Cors(api.cors) if api.cors else None

    def handle(self, request: Request) -> None:
        """Answer a request, at once or when its function has answered."""
        facts = Facts.of(request, self.port)
        request_id = short_request_id()
        origin, asked = request.header(b"origin"), request.header(b"access-control-request-method")
        preflight = is_preflight(facts.method, origin, asked)
        id_header: Header = (b"apigw-requestid", request_id.encode())

        def finish(headers: Sequence[Header]) -> list[Header]:
            kept = [header for header in headers if header[0] not in _OWN_HEADERS]
            if self._cors is not None:
                kept = self._cors.applied(kept, origin, is_preflight=preflight)
            return [*kept, id_header]

        answer = PendingAnswer(facts, finish, self.routes)
        staged = self._stages.select(facts)
        if staged is None:
            answer.give(NOT_FOUND)
            return
        running = staged.running
        answer.log = running.log
        match = self._routes.select(facts.method, staged.path)
        answer.route_key = route_key = match.route.key if match is not None else ""
        if running.log is not None:
            answer.values = lambda: self._context(running.stage.name, route_key, request_id, facts)
        if match is None:
            if preflight and self._cors is not None:
                answer.give(Response(204))
            else:
                answer.give(NOT_FOUND, gateway_error="Not Found")
        elif request.is_too_large:
            answer.give(TOO_LARGE, gateway_error="Request Entity Too Large")
        elif running.throttle is not None and not running.throttle.admits(route_key):
            answer.give(TOO_MANY, gateway_error="Too Many Requests")
        else:
            http = HttpRequest(self.api, running.stage, facts, request_id, staged.base_path, match)
            self._start(self._serve(http, answer))

    async def _serve(self, http: HttpRequest, answer: PendingAnswer) -> None:
        route = http.match.route
        try:
            if route.authorizer:
                decision: Decision = await self._authorizers.decide_http(http)
                answer.authorizer = decision.variables
                if decision.error_response is not None:
                    answer.give(decision.error_response, gateway_error=decision.error)
                    return
                http.authorizer = decision.context
            integration = route.integration
            if not integration.function:
                answer.give(message(501, integration.missing))
                return
            is_first_format = integration.payload_version == "1.0"
            event = events.event_1_0(http) if is_first_format else events.event_2_0(http)
            invoked = await self._invoke(integration, event, http.facts, answer, timed_out=TIMED_OUT)
            self._give(invoked, answer, is_first_format=is_first_format)
        except Exception:
            _LOG.exception("The gateway failed at %s.", http.route_key)
            answer.give(FAILED)

    def _give(self, invoked: Invoked, answer: PendingAnswer, *, is_first_format: bool) -> None:
        payload = payload_of(invoked, answer, too_large=TOO_LARGE, failed=FAILED)
        if payload is None:
            return
        try:
            response = answer_1_0(payload) if is_first_format else answer_2_0(payload)
        except MalformedAnswerError as error:
            answer.give(FAILED, error=f"The function's answer cannot be used: {error}.")
        else:
            answer.give(response)

    def _context(self, stage: str, route_key: str, request_id: str, facts: Facts) -> Mapping[str, object]:
        domain = facts.host
        return {
            "accountId": self.api.account_id,
            "apiId": self.api.api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "extendedRequestId": request_id,
            "requestId": request_id,
            "routeKey": route_key,
            "stage": stage,
        }
