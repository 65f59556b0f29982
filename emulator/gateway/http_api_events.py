"""The events of HTTP APIs, payload formats 2.0 and 1.0.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", "Payload
format version". Format 2.0 has header names in lower case, joins duplicates with commas and leaves out what is empty;
format 1.0 has null for that, the last of duplicates in `headers`, and API Gateway's own headers capitalised, as events
show that people have published (serverless/serverless, issue 7860). Both name the length of a body that is not there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.gateway.definition import Api, Stage
from emulator.gateway.request_facts import Facts
from emulator.gateway.routes import Match

_TEXT_TYPES = frozenset(("application/json", "application/javascript", "application/xml"))
_CAPITALISED = {
    name.lower(): name
    for name in (
        *("Content-Length", "Host", "User-Agent", "X-Amzn-Trace-Id"),
        *("X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"),
    )
}
"""The names of headers in format 1.0 that are not in lower case."""
_NO_IDENTITY = dict.fromkeys(
    (
        *("accessKey", "accountId", "caller", "cognitoAmr", "cognitoAuthenticationProvider"),
        *("cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId"),
    )
)


@dataclass(slots=True)
class HttpRequest:
    """A request that has a stage and a route. `base_path` is a custom domain's, with its slash, or ""."""

    api: Api
    stage: Stage
    facts: Facts
    request_id: str
    base_path: str
    match: Match
    authorizer: Mapping[str, Any] | None = None
    """What an authorizer adds to the request context."""

    @property
    def route_key(self) -> str:
        """Return the key of the route."""
        return self.match.route.key

    def domain(self) -> str:
        """Return the domain name that the client asked for."""
        return self.facts.host or f"{self.api.api_id}.execute-api.{self.api.region}.amazonaws.com"


def event_2_0(request: HttpRequest) -> dict[str, Any]:
    """Return the event of payload format 2.0."""
    facts = request.facts
    headers, cookies = _headers(facts)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": request.route_key,
        "rawPath": facts.path,
        "rawQueryString": facts.raw_query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if parameters := _joined_parameters(facts):
        event["queryStringParameters"] = parameters
    event["requestContext"] = context_2_0(request)
    if request.match.parameters:
        event["pathParameters"] = dict(request.match.parameters)
    if request.stage.variables:
        event["stageVariables"] = dict(request.stage.variables)
    body, is_encoded = text_body(facts)
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = is_encoded
    return event


def _context(request: HttpRequest) -> dict[str, Any]:
    """Return the request context as far as it is the same in both formats."""
    domain = request.domain()
    context: dict[str, Any] = {"accountId": request.api.account_id, "apiId": request.api.api_id}
    if request.authorizer is not None:
        context["authorizer"] = dict(request.authorizer)
    return context | {"domainName": domain, "domainPrefix": domain.partition(".")[0]}


def context_2_0(request: HttpRequest) -> dict[str, Any]:
    """Return the request context of payload format 2.0."""
    facts = request.facts
    return _context(request) | {
        "http": {
            "method": facts.method,
            "path": facts.path,
            "protocol": facts.protocol(),
            "sourceIp": facts.source_ip,
            "userAgent": facts.user_agent,
        },
        "requestId": request.request_id,
        "routeKey": request.route_key,
        "stage": request.stage.name,
        "time": facts.time(),
        "timeEpoch": facts.time_epoch(),
    }


def event_1_0(request: HttpRequest) -> dict[str, Any]:
    """Return the event of payload format 1.0, which HTTP APIs give where the integration asks for it."""
    facts = request.facts
    many: dict[str, list[str]] = {}
    for name, value in _with_gateway_headers(facts):
        lower = name.lower()
        many.setdefault(_CAPITALISED.get(lower, lower), []).append(value)
    queries: dict[str, list[str]] = {}
    for name, value in facts.query():
        queries.setdefault(name, []).append(value)
    body, is_encoded = text_body(facts)
    return {
        "version": "1.0",
        "resource": request.match.route.path,
        "path": facts.path,
        "httpMethod": facts.method,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in queries.items()} or None,
        "multiValueQueryStringParameters": queries or None,
        "requestContext": context_1_0(request),
        "pathParameters": dict(request.match.parameters) or None,
        "stageVariables": dict(request.stage.variables) or None,
        "body": body,
        "isBase64Encoded": is_encoded,
    }


def context_1_0(request: HttpRequest) -> dict[str, Any]:
    """Return the request context of payload format 1.0."""
    facts = request.facts
    return _context(request) | {
        "extendedRequestId": request.request_id,
        "httpMethod": facts.method,
        "identity": _NO_IDENTITY
        | {"sourceIp": facts.source_ip, "user": None, "userAgent": facts.user_agent, "userArn": None},
        "path": facts.path,
        "protocol": facts.protocol(),
        "requestId": request.request_id,
        "requestTime": facts.time(),
        "requestTimeEpoch": facts.time_epoch(),
        "resourceId": request.route_key,
        "resourcePath": request.match.route.path,
        "stage": request.stage.name,
    }


def text_body(facts: Facts) -> tuple[str | None, bool]:
    """Return the body as events have it, and whether it is base64.

    Text, JSON, JavaScript and XML go as they are, everything else encoded; so does text that is not UTF-8.
    """
    body = facts.request.body
    if not body:
        return None, False
    if _is_text(facts.header("content-type")) and facts.header("content-encoding") is None:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


def _is_text(content_type: str | None) -> bool:
    if content_type is None:
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))


def _headers(facts: Facts) -> tuple[dict[str, str], list[str]]:
    """Return the headers, joined, and the cookies, which are no header in format 2.0."""
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in _with_gateway_headers(facts):
        lower = name.lower()
        if lower == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        elif lower in headers:
            headers[lower] += f",{value}"
        else:
            headers[lower] = value
    return headers, cookies


def _with_gateway_headers(facts: Facts) -> list[tuple[str, str]]:
    replaced = ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id")
    kept = [(name, value) for name, value in facts.headers if name.lower() not in replaced]
    if facts.header("content-length") is None:
        kept.append(("content-length", str(len(facts.request.body))))
    return [
        *kept,
        ("x-amzn-trace-id", facts.trace_root),
        ("x-forwarded-for", facts.forwarded_for()),
        ("x-forwarded-port", str(facts.port)),
        ("x-forwarded-proto", "http"),
    ]


def _joined_parameters(facts: Facts) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in facts.query():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
