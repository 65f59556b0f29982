"""AWS::ApiGatewayV2::Api: an HTTP API with its routes and CORS.

Source: AWS CloudFormation Template Reference, "AWS::ApiGatewayV2::Api"; Amazon API Gateway Developer Guide, "OpenAPI
extensions for API Gateway"; Amazon API Gateway V2 API Reference, "GetApi", "GetRoutes" and "GetIntegrations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_EVERY_METHOD: Final = "x-amazon-apigateway-any-method"
_INTEGRATION: Final = "x-amazon-apigateway-integration"
_CORS: Final = "x-amazon-apigateway-cors"
_CORS_MEMBERS: Final = {
    "allowCredentials": "AllowCredentials",
    "allowHeaders": "AllowHeaders",
    "allowMethods": "AllowMethods",
    "allowOrigins": "AllowOrigins",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}
_IGNORED_AUTHORIZERS: Final = frozenset({"jwt", "cognito_user_pools", "awssigv4"})
_LEFT_OUT: Final = {
    True: "sam local does not ask the authorizer {name}, and lets everybody in to {keys}; the gateway asks it",
    False: "neither sam local nor the gateway asks the authorizer {name}: both let everybody in to {keys}",
}
"""What is said of a JWT authorizer, and of another that is not asked."""
ROUTES: Final = "Body.paths"
CORS: Final = f"Body.{_CORS}"


def route_keys(declared: Properties) -> dict[str, str]:
    """Return where each route leads, by its key ("GET /inventory"), from properties whose Body is in parts."""
    prefix = f"{ROUTES}."
    return {name.removeprefix(prefix): uri for name, uri in declared.items() if name.startswith(prefix)}


def cors_configuration(declared: Properties) -> dict[str, Any]:
    """Return the CORS configuration of properties whose Body is in parts, as UpdateApi takes it."""
    configured = {_CORS_MEMBERS[name]: value for name, value in declared.get(CORS, {}).items()}
    return configured | ({"MaxAge": int(configured["MaxAge"])} if "MaxAge" in configured else {})


def body_parts(properties: Properties) -> dict[str, Any]:
    """Return the properties with the Body in parts: a member for each route, with the URI it leads to."""
    body = properties.get("Body", {})
    parts = {f"Body.{name}": value for name, value in body.items() if name != "paths"}
    parts |= {f"{ROUTES}.{key}": uri for key, uri in _routes(body)}
    return {name: value for name, value in properties.items() if name != "Body"} | parts


def _routes(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each route of an OpenAPI body ("GET /inventory", "$default") with the URI that it leads to."""
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            integration = operation.get(_INTEGRATION) if isinstance(operation, Mapping) else None
            if integration:
                yield _route_key(path, method), str(integration["uri"])


def authorizers_left_out(body: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each authorizer of an OpenAPI body that is not asked, and by whom: it lets everybody in.

    The gateway asks JWT authorizers. Source for the other: AWS SAM Developer Guide, "sam local start-api": of the
    authorizers it supports those that are functions.
    """
    schemes = {**body.get("securityDefinitions", {}), **body.get("components", {}).get("securitySchemes", {})}
    kinds = {name: _kind_of_authorizer(scheme) for name, scheme in schemes.items()}
    ignored = {name for name, kind in kinds.items() if kind in _IGNORED_AUTHORIZERS}
    protects: dict[str, list[str]] = {}
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            asked = operation.get("security", body.get("security", [])) if isinstance(operation, Mapping) else []
            for name in sorted({name for one in asked for name in one} & ignored):
                protects.setdefault(name, []).append(_route_key(path, method))
    return [_LEFT_OUT[kinds[name] == "jwt"].format(name=name, keys=", ".join(keys)) for name, keys in protects.items()]


def _kind_of_authorizer(scheme: Mapping[str, Any]) -> str:
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    return str(authorizer.get("type", scheme.get("x-amazon-apigateway-authtype", ""))).lower()


def _route_key(path: str, method: str) -> str:
    return path if path == "$default" else f"{'ANY' if method == _EVERY_METHOD else method.upper()} {path}"


def _read(clients: Clients, api_id: str, declared: Properties) -> Properties:
    """Return what API Gateway has, the Body in parts."""
    gateway = clients.named("apigatewayv2")
    described = gateway.get_api(ApiId=api_id)
    cors = described.get("CorsConfiguration", {})
    integrations = gateway.get_integrations(ApiId=api_id)["Items"]
    uris = {f"integrations/{one['IntegrationId']}": one.get("IntegrationUri") for one in integrations}
    routes = {one["RouteKey"]: uris.get(one.get("Target")) for one in gateway.get_routes(ApiId=api_id)["Items"]}
    return {
        **{f"{ROUTES}.{key}": routes.get(key) for key in route_keys(declared)},
        CORS: {name: cors.get(member) for name, member in _CORS_MEMBERS.items()},
        "Body.info": {
            "description": described.get("Description"),
            "title": described["Name"],
            "version": described.get("Version"),
        },
        "Body.openapi": "3.0.1",  # the language of the document itself, which no API reports
        "Body.tags": [
            {"name": name, "x-amazon-apigateway-tag-value": value} for name, value in described["Tags"].items()
        ],
    }


def _left_out(properties: Properties) -> list[str]:
    if properties.get("ProtocolType") == "WEBSOCKET":
        return ["neither sam local nor the gateway serves WebSocket APIs"]
    return authorizers_left_out(properties.get("Body", {}))


RESOURCE: Final = ResourceType(
    "AWS::ApiGatewayV2::Api",
    read=_read,
    made_by="sam local",
    ref="{id}",
    attributes={"ApiEndpoint": "https://{ref}.execute-api.{region}.amazonaws.com", "ApiId": "{ref}"},
    parts=body_parts,
    left_out=_left_out,
)
