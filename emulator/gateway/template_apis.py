"""The APIs that a translated template declares.

SAM writes an API as an OpenAPI document with API Gateway's extensions (API Gateway Developer Guide, "OpenAPI extensions
for API Gateway"); a hand-written template may declare routes and integrations one by one (CloudFormation Template
Reference, AWS::ApiGatewayV2::Route, ::Integration, ::Authorizer). Both become the same definitions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.gateway import declared_methods, openapi
from emulator.gateway.definition import (
    ANY,
    DEFAULT_ROUTE,
    Api,
    Authorizer,
    Integration,
    Mapped,
    Rate,
    Route,
    Stage,
    UsagePlan,
)
from sam_template import ACCOUNT_ID, Template
from sam_template.intrinsics import Scope

_HTTP, _REST = "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"


class TemplateApis:
    """Reads the APIs of `template`, values evaluated in `scope`, references as logical ids."""

    def __init__(self, template: Template, scope: Scope | None = None) -> None:
        self._template = template
        self._scope = scope

    def apis(self) -> list[Api]:
        """Return every HTTP and REST API, in the template's order. Raises `TemplateError`."""
        found = []
        for logical_id, properties in self._of_type(_HTTP):
            if properties.get("ProtocolType", "HTTP") != "WEBSOCKET":
                found.append(self._http_api(logical_id, properties))
        for logical_id, properties in self._of_type(_REST):
            found.append(self._rest_api(logical_id, properties))
        return found

    def function_of(self, uri: str) -> str:
        """Return the logical id of the function that an invocation URI or an ARN names, through its alias if any."""
        name = uri.partition("/functions/")[2].partition("/invocations")[0] or uri
        name = name.removesuffix(".Arn").partition(".")[0]
        resource = self._template.resources.get(name)
        if resource is not None and resource["Type"] in ("AWS::Lambda::Alias", "AWS::Lambda::Version"):
            name = str(self._properties(name).get("FunctionName", "")).removesuffix(".Arn")
        return name if name in self._template.functions else ""

    def _http_api(self, logical_id: str, properties: Mapping[str, Any]) -> Api:
        document = properties.get("Body") or {}
        authorizers = openapi.authorizers(document, self.function_of, is_rest=False)
        for name, declared in self._of_type("AWS::ApiGatewayV2::Authorizer"):
            if declared.get("ApiId") == logical_id:
                authorizers[name] = self._authorizer(name, declared)
        routes = openapi.routes(document, self.function_of, authorizers, is_rest=False)
        routes += self._declared_routes(logical_id, authorizers)
        if target := properties.get("Target"):  # quick create
            key = str(properties.get("RouteKey") or DEFAULT_ROUTE)
            method, path = _method_and_path(key)
            routes.append(Route(method, path, self._integration(key, target, "2.0")))
        cors = document.get("x-amazon-apigateway-cors") or _lower_camel(properties.get("CorsConfiguration") or {})
        return Api(
            logical_id,
            "HTTP",
            _api_id(logical_id),
            ACCOUNT_ID,
            self._template.region,
            tuple(routes),
            tuple(self._http_stages(logical_id)) or (Stage("$default"),),
            authorizers=authorizers,
            mappings=tuple(self._mappings("AWS::ApiGatewayV2::ApiMapping", "ApiId", logical_id)),
            cors=cors or None,
            notes=tuple(
                [each.integration.missing for each in routes if each.integration.missing]
                + declared_methods.not_checked(
                    logical_id, dict(self._of_type("AWS::ApiGatewayV2::Route")), authorizers, member="ApiId"
                )
            ),
        )

    def _rest_api(self, logical_id: str, properties: Mapping[str, Any]) -> Api:
        document = properties.get("Body") or {}
        declared = dict(self._of_type("AWS::ApiGateway::Method"))
        authorizers = openapi.authorizers(document, self.function_of, is_rest=True)
        authorizers |= declared_methods.authorizers(
            logical_id, dict(self._of_type("AWS::ApiGateway::Authorizer")), self.function_of
        )
        routes = openapi.routes(document, self.function_of, authorizers, is_rest=True)
        routes += declared_methods.methods(
            logical_id, dict(self._of_type("AWS::ApiGateway::Resource")), declared, authorizers, self.function_of
        )
        types = document.get("x-amazon-apigateway-binary-media-types") or properties.get("BinaryMediaTypes") or ()
        notes = [each.integration.missing for each in routes if each.integration.missing]
        return Api(
            logical_id,
            "REST",
            _api_id(logical_id),
            ACCOUNT_ID,
            self._template.region,
            tuple(routes),
            tuple(self._rest_stages(logical_id)),
            authorizers=authorizers,
            mappings=tuple(self._mappings("AWS::ApiGateway::BasePathMapping", "RestApiId", logical_id)),
            binary_media_types=tuple(str(each).replace("~1", "/").lower() for each in types),
            usage_plans=tuple(self._usage_plans(logical_id)),
            api_key_source=str(
                document.get("x-amazon-apigateway-api-key-source") or properties.get("ApiKeySourceType") or "HEADER"
            ),
            notes=tuple(
                notes + openapi.not_checked(document) + declared_methods.not_checked(logical_id, declared, authorizers)
            ),
        )

    def _declared_routes(self, api: str, authorizers: Mapping[str, Authorizer]) -> list[Route]:
        integrations = dict(self._of_type("AWS::ApiGatewayV2::Integration"))
        found = []
        for _, declared in self._of_type("AWS::ApiGatewayV2::Route"):
            if declared.get("ApiId") != api:
                continue
            key = str(declared.get("RouteKey", ""))
            method, path = _method_and_path(key)
            target = integrations.get(str(declared.get("Target", "")).rpartition("/")[2], {})
            version = str(target.get("PayloadFormatVersion", "1.0"))
            milliseconds = float(target.get("TimeoutInMillis", 30_000))
            integration = self._integration(key, target.get("IntegrationUri", ""), version, milliseconds / 1000)
            authorizer = str(declared.get("AuthorizerId") or "")
            scopes = tuple(declared.get("AuthorizationScopes") or ())
            found.append(Route(method, path, integration, authorizer if authorizer in authorizers else "", scopes))
        return found

    def _integration(self, key: str, uri: Any, version: str, seconds: float = 30.0) -> Integration:
        function = self.function_of(str(uri))
        missing = "" if function else f"{key} has an integration that is no function of the template."
        return Integration(function, version, seconds, missing=missing)

    def _authorizer(self, name: str, declared: Mapping[str, Any]) -> Authorizer:
        token = declared.get("JwtConfiguration") or {}
        return Authorizer(
            name,
            str(declared.get("AuthorizerType", "REQUEST")).lower(),
            self.function_of(str(declared.get("AuthorizerUri", ""))),
            str(declared.get("AuthorizerPayloadFormatVersion", "1.0")),
            declared.get("EnableSimpleResponses") in (True, "true"),
            tuple(declared.get("IdentitySource") or ()),
            ttl_seconds=int(declared.get("AuthorizerResultTtlInSeconds", 0)),
            issuer=str(token.get("Issuer", "")),
            audiences=tuple(token.get("Audience") or ()),
        )

    def _http_stages(self, api: str) -> Iterator[Stage]:
        for _, declared in self._of_type("AWS::ApiGatewayV2::Stage"):
            if declared.get("ApiId") == api:
                yield Stage(
                    str(declared.get("StageName", "$default")),
                    _texts(declared.get("StageVariables")),
                    _rate(declared.get("DefaultRouteSettings") or {}),
                    {
                        key: rate
                        for key, settings in (declared.get("RouteSettings") or {}).items()
                        if (rate := _rate(settings))
                    },
                    str((declared.get("AccessLogSettings") or {}).get("Format", "")).strip(),
                )

    def _rest_stages(self, api: str) -> Iterator[Stage]:
        stages = [each for _, each in self._of_type("AWS::ApiGateway::Stage") if each.get("RestApiId") == api]
        has_stage = {str(each.get("DeploymentId", "")) for each in stages}
        for name, deployed in self._of_type("AWS::ApiGateway::Deployment"):
            # SAM names a stage "Stage" in the deployments that it writes, which have stages of their own.
            is_sams = deployed.get("StageName") == "Stage" and name in has_stage
            if deployed.get("RestApiId") == api and deployed.get("StageName") and not is_sams:
                yield Stage(str(deployed["StageName"]))
        for declared in stages:
            default, rates = None, {}
            for settings in declared.get("MethodSettings") or ():
                rate = _rate(settings)
                path = str(settings.get("ResourcePath", "/*")).replace("~1", "/").removeprefix("/")
                method = str(settings.get("HttpMethod", "*")).upper()
                if path == "*" and method == "*":
                    default = rate
                elif rate is not None:
                    rates[f"{ANY if method == '*' else method} /{path.lstrip('/')}"] = rate
            yield Stage(
                str(declared.get("StageName", "")),
                _texts(declared.get("Variables")),
                default,
                rates,
                str((declared.get("AccessLogSetting") or {}).get("Format", "")).strip(),
            )

    def _mappings(self, type_name: str, member: str, api: str) -> Iterator[Mapped]:
        for _, declared in self._of_type(type_name):
            if declared.get(member) == api:
                base = str(declared.get("ApiMappingKey") or declared.get("BasePath") or "").replace("(none)", "")
                yield Mapped(str(declared.get("DomainName", "")), base, self._stage_name(declared.get("Stage")))

    def _usage_plans(self, api: str) -> Iterator[UsagePlan]:
        keys = {name: each for name, each in self._of_type("AWS::ApiGateway::ApiKey") if _is_enabled(each)}
        links = [each for _, each in self._of_type("AWS::ApiGateway::UsagePlanKey")]
        for name, declared in self._of_type("AWS::ApiGateway::UsagePlan"):
            stages = [each for each in declared.get("ApiStages") or () if each.get("ApiId") == api]
            if not stages:
                continue
            values = {
                key_value(link["KeyId"], keys[link["KeyId"]]): str(link["KeyId"])
                for link in links
                if link.get("UsagePlanId") == name and link.get("KeyId") in keys
            }
            quota = declared.get("Quota") or {}
            rates = {
                _route_key(key): rate
                for each in stages
                for key, settings in (each.get("Throttle") or {}).items()
                if (rate := _plan_rate(settings))
            }
            yield UsagePlan(
                name,
                frozenset(self._stage_name(each.get("Stage")) for each in stages),
                values,
                _plan_rate(declared.get("Throttle") or {}),
                rates,
                int(quota["Limit"]) if "Limit" in quota else None,
                str(quota.get("Period", "DAY")),
            )

    def _stage_name(self, reference: Any) -> str:
        """Return the name of the stage that a resource of that logical id declares, or what is given when it is one."""
        resource = self._template.resources.get(str(reference))
        return str(self._properties(str(reference)).get("StageName", "")) if resource else str(reference or "")

    def _of_type(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for logical_id, resource in self._template.resources.items():
            if resource["Type"] == name:
                yield logical_id, self._properties(logical_id)

    def _properties(self, logical_id: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._template.evaluated(logical_id, scope=self._scope)
        return properties


def key_value(logical_id: str, declared: Mapping[str, Any]) -> str:
    """Return the value of an API key: the declared one, else forty characters that stay the same from run to run."""
    return str(declared.get("Value") or hashlib.sha256(f"api key {logical_id}".encode()).hexdigest()[:40])


def _api_id(logical_id: str) -> str:
    digits = int.from_bytes(hashlib.sha256(logical_id.encode()).digest()[:8], "big")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(letters[digits // 36**place % 36] for place in range(10))


def _method_and_path(route_key: str) -> tuple[str, str]:
    method, _, path = route_key.partition(" ")
    return (method, path) if path else (ANY, route_key)


def _rate(settings: Mapping[str, Any]) -> Rate | None:
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    if rate is None and burst is None:
        return None
    return Rate(float(rate if rate is not None else 10_000), int(burst if burst is not None else 5_000))


def _plan_rate(settings: Mapping[str, Any]) -> Rate | None:
    rate, burst = settings.get("RateLimit"), settings.get("BurstLimit")
    return _rate({"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst})


def _route_key(text: str) -> str:
    path, _, method = text.rpartition("/")
    return f"{method.upper()} {path}"


def _texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}


def _is_enabled(declared: Mapping[str, Any]) -> bool:
    return declared.get("Enabled") in (True, "true")


def _lower_camel(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in configuration.items()}
