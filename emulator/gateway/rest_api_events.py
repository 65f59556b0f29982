"""The events of REST APIs.

Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration" and "Working with binary
media types for REST APIs". Header names keep the case in which the client sent them; what is empty is null; a body is
base64 where its type is one of the API's binary media types, and text otherwise, whatever its bytes are.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.gateway.definition import Api, Stage
from emulator.gateway.request_facts import Facts
from emulator.gateway.routes import Match

_IDENTITY = dict.fromkeys(
    (
        *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType"),
        *("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
    )
)


@dataclass(slots=True)
class RestRequest:
    """A request that has a stage and a method. `path` is without stage and base path."""

    api: Api
    stage: Stage
    facts: Facts
    request_id: str
    extended_id: str
    path: str
    base_path: str
    match: Match
    authorizer: Mapping[str, Any] | None = None
    api_key: str = ""
    api_key_id: str = ""

    def domain(self) -> str:
        """Return the domain name that the client asked for."""
        return self.facts.host or f"{self.api.api_id}.execute-api.{self.api.region}.amazonaws.com"

    def resource_id(self) -> str:
        """Return an id for the resource: six characters that depend on its path alone."""
        return f"{zlib.crc32(self.match.route.path.encode()):08x}"[:6]

    def context(self) -> dict[str, Any]:
        """Return the request context."""
        facts, domain = self.facts, self.domain()
        identity: dict[str, Any] = _IDENTITY | {"sourceIp": facts.source_ip, "userAgent": facts.user_agent or None}
        if self.api_key:
            identity |= {"apiKey": self.api_key, "apiKeyId": self.api_key_id}
        context: dict[str, Any] = {
            "resourceId": self.resource_id(),
            "resourcePath": self.match.route.path,
            "httpMethod": facts.method,
            "extendedRequestId": self.extended_id,
            "requestTime": facts.time(),
            # With the stage, or on a custom domain with the base path: as the client sees it.
            "path": facts.path,
            "accountId": self.api.account_id,
            "protocol": facts.protocol(),
            "stage": self.stage.name,
            "domainPrefix": domain.partition(".")[0],
            "requestTimeEpoch": facts.time_epoch(),
            "requestId": self.request_id,
            "identity": identity,
            "domainName": domain,
            "apiId": self.api.api_id,
        }
        if self.authorizer is not None:
            context["authorizer"] = dict(self.authorizer)
        return context

    def event(self) -> dict[str, Any]:
        """Return the event."""
        facts = self.facts
        headers: dict[str, list[str]] = {}
        for name, value in _with_gateway_headers(facts):
            headers.setdefault(name, []).append(value)
        queries: dict[str, list[str]] = {}
        for name, value in facts.query():
            queries.setdefault(name, []).append(value)
        body, is_encoded = self._body()
        return {
            "resource": self.match.route.path,
            "path": f"{self.base_path}{self.path}",
            "httpMethod": facts.method,
            "headers": {name: values[-1] for name, values in headers.items()} or None,
            "multiValueHeaders": headers or None,
            "queryStringParameters": {name: values[-1] for name, values in queries.items()} or None,
            "multiValueQueryStringParameters": queries or None,
            "pathParameters": dict(self.match.parameters) or None,
            "stageVariables": dict(self.stage.variables) or None,
            "requestContext": self.context(),
            "body": body,
            "isBase64Encoded": is_encoded,
        }

    def _body(self) -> tuple[str | None, bool]:
        body = self.facts.request.body
        if not body:
            return None, False
        if is_binary(self.facts.header("content-type"), self.api.binary_media_types):
            return base64.b64encode(body).decode("ascii"), True
        return body.decode("utf-8", "replace"), False


def is_binary(media_type: str | None, declared: tuple[str, ...]) -> bool:
    """Tell whether a media type is one of an API's binary media types (`*/*` and `image/*` are patterns)."""
    if "*/*" in declared:
        return True
    kind = (media_type or "").partition(";")[0].strip().lower()
    return any(kind == each or (each.endswith("/*") and kind.startswith(each[:-1])) for each in declared)


def _with_gateway_headers(facts: Facts) -> list[tuple[str, str]]:
    replaced = ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id", "content-length")
    kept = [(name, value) for name, value in facts.headers if name.lower() not in replaced]
    return [
        *kept,
        ("X-Amzn-Trace-Id", facts.trace_root),
        ("X-Forwarded-For", facts.forwarded_for()),
        ("X-Forwarded-Port", str(facts.port)),
        ("X-Forwarded-Proto", "http"),
    ]
