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


def _parts(properties: Properties) -> dict[str, Any]:
    """Return the properties with the Body in parts: a member for each route, with the URI it leads to."""
    body = properties.get("Body", {})
    parts = {f"Body.{name}": value for name, value in body.items() if name != "paths"}
    parts |= {f"{ROUTES}.{key}": uri for key, uri in _routes(body)}
    return {name: value for name, value in properties.items() if name != "Body"} | parts


def _routes(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            integration = operation.get(_INTEGRATION) if isinstance(operation, Mapping) else None
            if integration:
                verb = "ANY" if method == _EVERY_METHOD else method.upper()
                yield (path if path == "$default" else f"{verb} {path}"), str(integration["uri"])


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


RESOURCE: Final = ResourceType(
    "AWS::ApiGatewayV2::Api",
    read=_read,
    made_by="sam local",
    ref="{id}",
    attributes={"ApiEndpoint": "https://{ref}.execute-api.{region}.amazonaws.com", "ApiId": "{ref}"},
    parts=_parts,
)
