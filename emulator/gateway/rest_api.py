"""A REST API: from a request to its answer.

Sources: API Gateway Developer Guide, chapter "REST APIs"; for API Gateway's own answers "Gateway response types for API
Gateway"; the modules that this one calls name the sections.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.engine.invocation import new_request_id
from emulator.gateway.api_keys import ApiKeys, Clients, Use
from emulator.gateway.api_server import ApiServer, payload_of
from emulator.gateway.authorizers import Authorizers
from emulator.gateway.definition import Api
from emulator.gateway.functions import Invocations, Invoked
from emulator.gateway.lambda_answers import MalformedAnswerError, answer_1_0, remapped
from emulator.gateway.pending_answer import PendingAnswer, message
from emulator.gateway.request_facts import Facts, short_request_id
from emulator.gateway.rest_api_events import RestRequest, is_binary
from emulator.gateway.routes import RestResources
from emulator.gateway.stages import Staged
from emulator.http_server import Header, Request, Response

_LOG = logging.getLogger(__name__)
_ERROR_TYPE = b"x-amzn-errortype"
UNKNOWN_STAGE = message(403, "Forbidden", (_ERROR_TYPE, b"ForbiddenException"))
NO_METHOD = message(403, "Missing Authentication Token", (_ERROR_TYPE, b"MissingAuthenticationTokenException"))
NO_KEY = message(403, "Forbidden", (_ERROR_TYPE, b"ForbiddenException"))
BODY_TOO_LARGE = Response(
    413, ((b"content-type", b"text; charset=utf-8"),), b"HTTP content length exceeded 10485760 bytes."
)
"""The Guide names the limit alone ("Quotas"); words as in koki-develop/lgtm-generator issue 10."""
TOO_LARGE = message(413, "Request Too Long", (_ERROR_TYPE, b"BadRequestException"))
TOO_MANY = message(429, "Too Many Requests", (_ERROR_TYPE, b"TooManyRequestsException"))
USED_UP = message(429, "Limit Exceeded", (_ERROR_TYPE, b"LimitExceededException"))
FAILED = message(502, "Internal server error", (_ERROR_TYPE, b"InternalServerErrorException"))
TIMED_OUT = message(504, "Endpoint request timed out", (_ERROR_TYPE, b"InternalServerErrorException"))


class RestApi(ApiServer):
    """Serves one API on one port. `clients` are shared with the gateway's other APIs."""

    def __init__(
        self,
        api: Api,
        invocations: Invocations,
        authorizers: Authorizers,
        logs: Path,
        *,
        throttles: bool,
        clients: Clients,
    ) -> None:
        super().__init__(api, invocations, authorizers, logs, throttles=throttles)
        self._resources = RestResources(api.routes)
        self._keys = ApiKeys(api.usage_plans, clients)

    def handle(self, request: Request) -> None:
        """Answer a request, at once or when its function has answered."""
        facts = Facts.of(request, self.port)
        request_id, extended_id = new_request_id(), short_request_id()
        ids: tuple[Header, ...] = (
            (b"x-amzn-requestid", request_id.encode()),
            (b"x-amz-apigw-id", extended_id.encode()),
            (b"x-amzn-trace-id", facts.trace_root.encode("latin-1")),
        )

        def finish(headers: Sequence[Header]) -> list[Header]:
            return [*headers, *ids]

        answer = PendingAnswer(facts, finish, self.routes)
        staged = self._stages.select(facts)
        if staged is None:
            answer.give(UNKNOWN_STAGE)
            return
        answer.log = staged.running.log
        match = self._resources.select(facts.method, staged.path)
        if match is None:
            answer.values = lambda: self._context(staged, request_id, extended_id, None)
            answer.give(NO_METHOD, gateway_error="Missing Authentication Token")
            return
        answer.route_key = match.route.key
        rest = RestRequest(
            self.api, staged.running.stage, facts, request_id, extended_id, staged.path, staged.base_path, match
        )
        answer.values = lambda: self._context(staged, request_id, extended_id, rest)
        if request.is_too_large:
            answer.give(BODY_TOO_LARGE, gateway_error="Request Too Long")
        else:
            self._start(self._serve(rest, staged, answer))

    async def _serve(self, rest: RestRequest, staged: Staged, answer: PendingAnswer) -> None:
        try:
            if await self._admits(rest, staged, answer):
                await self._integrate(rest, answer)
        except Exception:
            _LOG.exception("The gateway failed at %s %s.", rest.facts.method, rest.match.route.path)
            answer.give(message(500, "Internal server error", (_ERROR_TYPE, b"InternalServerErrorException")))

    async def _admits(self, rest: RestRequest, staged: Staged, answer: PendingAnswer) -> bool:
        """Tell whether the request may go on: its authorizer, its key, the throttles, in this order."""
        route = rest.match.route
        key = rest.facts.header("x-api-key") or ""
        if route.authorizer:
            decision = await self._authorizers.decide_rest(rest)
            answer.authorizer = decision.variables
            if decision.error_response is not None:
                answer.give(decision.error_response, gateway_error=decision.error)
                return False
            rest.authorizer = decision.context
            if self.api.api_key_source == "AUTHORIZER":
                key = decision.api_key
        if route.needs_api_key:
            use, name = self._keys.use(key, staged.running.stage.name, route.key)
            errors = {Use.UNKNOWN: NO_KEY, Use.THROTTLED: TOO_MANY, Use.USED_UP: USED_UP}
            if use in errors:
                answer.give(errors[use], gateway_error=use.value)
                return False
            rest.api_key, rest.api_key_id = key, name
        throttle = staged.running.throttle
        if throttle is not None and not throttle.admits(route.key):
            answer.give(TOO_MANY, gateway_error="Too Many Requests")
            return False
        return True

    async def _integrate(self, rest: RestRequest, answer: PendingAnswer) -> None:
        integration = rest.match.route.integration
        if integration.mock is not None:
            mock = integration.mock
            headers = [(name.lower().encode(), value.encode()) for name, value in mock.headers]
            if not any(name == b"content-type" for name, _ in headers):
                headers.append((b"content-type", b"application/json"))
            answer.give(Response(mock.status, headers, mock.body.encode()))
            return
        if not integration.function:
            answer.give(message(501, integration.missing))
            return
        invoked = await self._invoke(integration, rest.event(), rest.facts, answer, timed_out=TIMED_OUT)
        self._give(invoked, rest, answer)

    def _give(self, invoked: Invoked, rest: RestRequest, answer: PendingAnswer) -> None:
        payload = payload_of(invoked, answer, too_large=TOO_LARGE, failed=FAILED)
        if payload is None:
            return
        try:
            response = answer_1_0(payload, decodes=self._wants_binary(rest))
        except MalformedAnswerError as error:
            answer.give(FAILED, error=f"Malformed Lambda proxy response: {error}.")
            return
        headers = remapped(list(response.headers))
        if not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", b"application/json"))
        answer.give(Response(response.status, headers, response.body))

    def _wants_binary(self, rest: RestRequest) -> bool:
        # "Return binary media from a Lambda proxy integration": the first media type of Accept decides.
        accepted = (rest.facts.header("accept") or "").partition(",")[0]
        return is_binary(accepted, self.api.binary_media_types)

    def _context(
        self, staged: Staged, request_id: str, extended_id: str, rest: RestRequest | None
    ) -> Mapping[str, object]:
        values: dict[str, object] = {
            "accountId": self.api.account_id,
            "apiId": self.api.api_id,
            "extendedRequestId": extended_id,
            "requestId": request_id,
            "stage": staged.running.stage.name,
        }
        if rest is not None:
            domain = rest.domain()
            values |= {
                "domainName": domain,
                "domainPrefix": domain.partition(".")[0],
                "identity.apiKey": rest.api_key,
                "identity.apiKeyId": rest.api_key_id,
                "resourceId": rest.resource_id(),
                "resourcePath": rest.match.route.path,
            }
        return values
