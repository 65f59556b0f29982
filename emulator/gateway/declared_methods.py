"""The methods of a REST API that a template declares one by one.

Source: CloudFormation Template Reference, AWS::ApiGateway::Resource, ::Method, ::Authorizer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.gateway.definition import Authorizer, Integration, Route

Resources = Mapping[str, Mapping[str, Any]]
"""The properties of all resources of one type, by their logical ids; references are logical ids."""
_SECONDS = 29.0
_TTL_SECONDS = 300


def methods(
    api: str,
    resources: Resources,
    declared: Resources,
    known_authorizers: Mapping[str, Authorizer],
    function_of: Callable[[str], str],
) -> list[Route]:
    """Return the methods of `api` (a logical id)."""
    found = []
    for each in declared.values():
        if each.get("RestApiId") != api:
            continue
        verb = str(each.get("HttpMethod", "ANY")).upper()
        path = _path(str(each.get("ResourceId", "")), resources)
        authorizer = str(each.get("AuthorizerId") or "")
        found.append(
            Route(
                verb,
                path,
                _integration(f"{verb} {path}", each.get("Integration") or {}, function_of),
                authorizer if authorizer in known_authorizers else "",
                needs_api_key=each.get("ApiKeyRequired") in (True, "true"),
            )
        )
    return found


def authorizers(api: str, declared: Resources, function_of: Callable[[str], str]) -> dict[str, Authorizer]:
    """Return the Lambda authorizers of `api` by their logical ids."""
    found = {}
    for name, each in declared.items():
        kind = str(each.get("Type", "")).lower()
        if each.get("RestApiId") != api or kind not in ("token", "request"):
            continue
        found[name] = Authorizer(
            name,
            kind,
            function_of(str(each.get("AuthorizerUri", ""))),
            identity_sources=tuple(part.strip() for part in str(each.get("IdentitySource") or "").split(",") if part),
            validation=str(each.get("IdentityValidationExpression") or ""),
            ttl_seconds=int(each.get("AuthorizerResultTtlInSeconds", _TTL_SECONDS)),
        )
    return found


def not_checked(
    api: str, declared: Resources, known_authorizers: Mapping[str, Authorizer], *, member: str = "RestApiId"
) -> list[str]:
    """Return a sentence for each kind of authorization that the gateway lets pass unchecked.

    `declared` are methods, or the routes of HTTP APIs; `member` is where they name their API.
    """
    kinds = {
        str(each.get("AuthorizationType", "NONE"))
        for each in declared.values()
        if each.get(member) == api and each.get("AuthorizerId") not in known_authorizers
    }
    return [
        f"The authorization {kind} of {api} is not emulated: what it guards is open here."
        for kind in sorted(kinds - {"NONE"})
    ]


def _path(resource: str, resources: Resources) -> str:
    """Return the path of a resource, from the parts of its parents."""
    parts: list[str] = []
    while resource in resources and len(parts) <= len(resources):
        parts.insert(0, str(resources[resource].get("PathPart", "")))
        resource = str(resources[resource].get("ParentId", ""))
    return "/" + "/".join(parts)


def _integration(key: str, declared: Mapping[str, Any], function_of: Callable[[str], str]) -> Integration:
    kind = str(declared.get("Type", "")).upper()
    function = function_of(str(declared.get("Uri", ""))) if kind == "AWS_PROXY" else ""
    if not function:
        missing = f"{key} has an integration of type {kind or 'none'} that is no function of the template."
        return Integration(missing=missing)
    milliseconds = declared.get("TimeoutInMillis")
    return Integration(function, "1.0", float(milliseconds) / 1000 if milliseconds else _SECONDS)
