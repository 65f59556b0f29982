"""Who may call: the authorizers of an API, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.gateway.definition import Api
from emulator.gateway.functions import Invocations
from emulator.gateway.lambda_authorizer import LambdaAuthorizer
from emulator.gateway.pending_answer import message
from emulator.gateway.policy import Verdict
from emulator.http_server import Header, Response

if TYPE_CHECKING:
    from emulator.gateway.http_api_events import HttpRequest
    from emulator.gateway.jwt_authorizer import JwtAuthorizer
    from emulator.gateway.rest_api_events import RestRequest


class Decision(NamedTuple):
    """What an authorizer decided: the `error_response`, with the log's `error`, or what it adds to the context.

    `variables` are what an access log has as `$context.authorizer` ("Customizing HTTP API access logs").
    """

    error_response: Response | None = None
    error: str = ""
    context: Mapping[str, Any] | None = None
    api_key: str = ""
    variables: Mapping[str, object] = MappingProxyType({})


class Authorizers:
    """The authorizers of one API. The library that reads JWTs is imported only where one is declared."""

    def __init__(self, api: Api, invocations: Invocations) -> None:
        self._lambdas: dict[str, LambdaAuthorizer] = {}
        self._jwts: dict[str, JwtAuthorizer] = {}
        for name, declared in api.authorizers.items():
            if declared.kind == "jwt":
                from emulator.gateway.jwt_authorizer import JwtAuthorizer

                self._jwts[name] = JwtAuthorizer(declared)
            else:
                self._lambdas[name] = LambdaAuthorizer(declared, api, invocations)

    async def decide_http(self, request: HttpRequest) -> Decision:
        """Decide for a request to an HTTP API ("Control and manage access to HTTP APIs in API Gateway").

        401 for one that does not say who asks, 403 for one that is denied, 500 when the authorizer fails.
        """
        name = request.match.route.authorizer
        if name in self._jwts:
            return await self._decide_jwt(self._jwts[name], request)
        authorizer = self._lambdas[name]
        given = await authorizer.for_http(request)
        if given.is_unauthorized:
            return _error(401, "Unauthorized")
        if given.failure:
            return Decision(message(500, "Internal Server Error"), given.failure, variables={"error": given.failure})
        if given.verdict is not Verdict.ALLOWED:
            return _error(403, "Forbidden")
        variables = {**given.context, **({"principalId": given.principal} if given.principal else {})}
        if request.match.route.integration.payload_version == "1.0":
            return Decision(context=variables, variables=variables)
        return Decision(context={"lambda": dict(given.context) or None}, variables=variables)

    async def decide_rest(self, request: RestRequest) -> Decision:
        """Decide for a request to a REST API ("Use API Gateway Lambda authorizers")."""
        given = await self._lambdas[request.match.route.authorizer].for_rest(request)
        if given.is_unauthorized:
            return _rest_error(401, b"UnauthorizedException", "message", "Unauthorized")
        if given.failure:
            return _rest_error(500, b"AuthorizerConfigurationException", "message", None, given.failure)
        if given.verdict is Verdict.DENIED:
            text = "User is not authorized to access this resource with an explicit deny"
            return _rest_error(403, b"AccessDeniedException", "Message", text)
        if given.verdict is Verdict.NOT_ALLOWED:
            text = "User is not authorized to access this resource"
            return _rest_error(403, b"AccessDeniedException", "Message", text)
        context = {**given.context, "principalId": given.principal, "integrationLatency": given.latency_ms}
        return Decision(context=context, api_key=given.api_key, variables=context)

    async def _decide_jwt(self, authorizer: JwtAuthorizer, request: HttpRequest) -> Decision:
        scopes = request.match.route.scopes
        checked = await authorizer.check(request, scopes)
        if checked.claims is None:
            challenge: Header = (b"www-authenticate", checked.challenge.encode("latin-1", "replace"))
            text = "Unauthorized" if checked.status == 401 else "Forbidden"
            answer = message(checked.status, text, challenge)
            return Decision(answer, checked.error, variables={"error": checked.error})
        given = {"claims": checked.claims, "scopes": checked.scopes}
        is_first_format = request.match.route.integration.payload_version == "1.0"
        variables = {f"claims.{name}": value for name, value in checked.claims.items()}
        return Decision(context=given if is_first_format else {"jwt": given}, variables=variables)


def _error(status: int, text: str) -> Decision:
    return Decision(message(status, text), text)


def _rest_error(status: int, kind: bytes, member: str, text: str | None, error: str = "") -> Decision:
    answer = message(status, text, (b"x-amzn-errortype", kind))
    body = answer.body.replace(b'"message"', f'"{member}"'.encode(), 1)
    return Decision(Response(status, answer.headers, body), error or text or "", variables={"error": error})
