"""Routes and authorizers out of an OpenAPI document with API Gateway's extensions.

Source: API Gateway Developer Guide, "OpenAPI extensions for API Gateway": x-amazon-apigateway-integration,
x-amazon-apigateway-authorizer, x-amazon-apigateway-any-method, x-amazon-apigateway-authtype.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.gateway.definition import ANY, DEFAULT_ROUTE, Authorizer, Integration, MockAnswer, Route

_ANY_METHOD = "x-amazon-apigateway-any-method"
_METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch", _ANY_METHOD))
_REST_SECONDS, _HTTP_SECONDS = 29.0, 30.0
_REST_TTL_SECONDS = 300
FunctionOf = Callable[[str], str]


def routes(
    document: Mapping[str, Any], function_of: FunctionOf, authorizers: Mapping[str, Authorizer], *, is_rest: bool
) -> list[Route]:
    """Return the operations of the document that have an integration."""
    found = []
    for path, operations in (document.get("paths") or {}).items():
        for method, operation in operations.items():
            if method.lower() not in _METHODS or not isinstance(operation, Mapping):
                continue
            verb = ANY if method.lower() == _ANY_METHOD else method.upper()
            security = operation.get("security", document.get("security")) or []
            named = {name: scopes for entry in security for name, scopes in entry.items()}
            authorizer = next((name for name in named if name in authorizers), "")
            found.append(
                Route(
                    verb,
                    DEFAULT_ROUTE if path.strip("/") == DEFAULT_ROUTE else path,
                    _integration(f"{verb} {path}", operation, function_of, is_rest=is_rest),
                    authorizer,
                    tuple(named.get(authorizer) or ()),
                    any(_is_api_key(document, name) for name in named),
                )
            )
    return found


def authorizers(document: Mapping[str, Any], function_of: FunctionOf, *, is_rest: bool) -> dict[str, Authorizer]:
    """Return the Lambda and JWT authorizers of the document by their names."""
    found = {}
    for name, scheme in _schemes(document).items():
        declared = scheme.get("x-amazon-apigateway-authorizer") or {}
        kind = str(declared.get("type", "")).lower()
        if kind not in ("request", "token", "jwt"):
            continue
        token = declared.get("jwtConfiguration") or {}
        sources = declared.get("identitySource") or ()
        if isinstance(sources, str):
            sources = [each.strip() for each in sources.split(",")]
        if kind == "token":
            sources = [f"method.request.header.{scheme.get('name', 'Authorization')}"]
        found[name] = Authorizer(
            name,
            kind,
            function_of(str(declared.get("authorizerUri", ""))),
            str(declared.get("authorizerPayloadFormatVersion", "1.0")),
            declared.get("enableSimpleResponses") in (True, "true"),
            tuple(sources),
            str(declared.get("identityValidationExpression", "")),
            int(declared.get("authorizerResultTtlInSeconds", _REST_TTL_SECONDS if is_rest else 0)),
            str(token.get("issuer", "")),
            tuple(token.get("audience") or ()),
        )
    return found


def not_checked(document: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each security scheme that the gateway lets pass unchecked."""
    sentences = []
    for name, scheme in _schemes(document).items():
        kind = str(scheme.get("x-amazon-apigateway-authtype", ""))
        if kind.lower() in ("awssigv4", "cognito_user_pools"):
            sentences.append(f"The authorizer {name} ({kind}) is not emulated: its routes are open here.")
    return sentences


def _schemes(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    components = document.get("components") or {}
    schemes: Mapping[str, Mapping[str, Any]] = {
        **(document.get("securityDefinitions") or {}),
        **(components.get("securitySchemes") or {}),
    }
    return schemes


def _is_api_key(document: Mapping[str, Any], name: str) -> bool:
    scheme = _schemes(document).get(name) or {}
    if scheme.get("type") != "apiKey" or "x-amazon-apigateway-authorizer" in scheme:
        return False
    return str(scheme.get("name", "")).lower() == "x-api-key"


def _integration(key: str, operation: Mapping[str, Any], function_of: FunctionOf, *, is_rest: bool) -> Integration:
    declared = operation.get("x-amazon-apigateway-integration")
    if not isinstance(declared, Mapping):
        return Integration(missing=f"{key} has no integration.")
    kind = str(declared.get("type", "")).lower()
    if kind == "mock":
        return _mock(key, declared)
    function = function_of(str(declared.get("uri", "")))
    if kind != "aws_proxy" or not function:
        return Integration(missing=f"{key} has an integration of type {kind} that is no function of the template.")
    limit = _REST_SECONDS if is_rest else _HTTP_SECONDS
    seconds = float(declared["timeoutInMillis"]) / 1000 if "timeoutInMillis" in declared else limit
    return Integration(function, str(declared.get("payloadFormatVersion", "1.0")), seconds)


def _mock(key: str, declared: Mapping[str, Any]) -> Integration:
    """Return a mock integration whose templates need no evaluation: fixed texts, which is what SAM writes for CORS."""
    response = (declared.get("responses") or {}).get("default") or {}
    templates = [
        *(declared.get("requestTemplates") or {}).values(),
        *(response.get("responseTemplates") or {}).values(),
    ]
    if any(re.search(r"[#$]\w", str(template)) for template in templates):
        return Integration(missing=f"{key} has a mock integration with a template that must be evaluated.")
    headers = []
    for name, value in (response.get("responseParameters") or {}).items():
        if name.startswith("method.response.header."):
            headers.append((name.removeprefix("method.response.header."), str(value).strip("'")))
    body = next((str(each).strip() for each in (response.get("responseTemplates") or {}).values()), "")
    try:
        status = int(response.get("statusCode") or json.loads(str(templates[0]))["statusCode"])
    except (IndexError, KeyError, TypeError, ValueError):
        status = 200
    return Integration(mock=MockAnswer(status, tuple(headers), body))
