"""Which APIs a template declares, and where each is served."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.gateway.gateway import Gateway
from emulator.gateway.template_apis import TemplateApis
from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.unit.emulator.gateway.api_client import (
    Functions,
    echo,
    function_with,
    http_api,
    http_event,
    rest_api,
    rest_event,
    template,
)


def test_every_route_of_the_shop_is_there_with_its_throttle_and_its_log() -> None:
    loaded = Template.load(TEMPLATE)
    apis = TemplateApis(loaded).apis()
    declared = {(route.method, route.path, route.function) for route in loaded.routes}
    served = {(route.method, route.path, route.integration.function) for api in apis for route in api.routes}
    assert {(method, path.replace("/$default", "$default"), name) for method, path, name in declared} == served
    api = next(each for each in apis if each.logical_id == "ShopApi")
    (stage,) = api.stages
    assert stage.default_rate is not None
    assert stage.default_rate.per_second == float(loaded.parameters["ThrottleRate"])
    assert stage.access_log_format
    assert api.cors is not None
    assert api.notes == ()


def test_two_apis_have_a_port_each_and_share_their_functions(tmp_path: Path) -> None:
    resources = {
        "Public": http_api(),
        "Admin": rest_api(),
        "F": function_with({"A": http_event("GET", "/a", "Public"), "B": rest_event("get", "/b", "Admin")}),
    }
    functions = Functions({"F": echo})

    async def scenario() -> None:
        gateway = Gateway(TemplateApis(template(tmp_path, resources)).apis(), functions, tmp_path)
        served = await gateway.start("127.0.0.1", [0, 0])
        assert [(api.logical_id, api.kind) for api in served] == [("Public", "HTTP"), ("Admin", "REST")]
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{served[0].urls[0]}/a")).json()["routeKey"] == "GET /a"
            assert served[1].urls[0].endswith("/prod")
            assert (await client.get(f"{served[1].urls[0]}/b")).json()["resource"] == "/b"
        await gateway.stop()

    asyncio.run(scenario())


def test_a_websocket_api_is_not_served(tmp_path: Path) -> None:
    socket = {
        "Type": "AWS::ApiGatewayV2::Api",
        "Properties": {"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"},
    }
    assert TemplateApis(template(tmp_path, {"Chat": socket})).apis() == []


def test_what_is_not_emulated_is_named(tmp_path: Path) -> None:
    resources = {
        "Api": rest_api(Auth={"DefaultAuthorizer": "AWS_IAM"}),
        "F": function_with({"A": rest_event("get", "/a")}),
    }
    (api,) = TemplateApis(template(tmp_path, resources)).apis()
    assert api.notes == ("The authorizer AWS_IAM (awsSigv4) is not emulated: its routes are open here.",)


@pytest.mark.parametrize(
    ("authorization", "kinds"),
    [
        ({"AuthorizationType": "AWS_IAM"}, ["AWS_IAM"]),
        ({"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Callers"}}, []),
        ({"AuthorizationType": "CUSTOM", "AuthorizerId": "of-another-stack"}, ["CUSTOM"]),
        ({}, []),
    ],
)
def test_the_authorization_of_a_route_that_is_written_by_hand_is_enforced_or_named(
    tmp_path: Path, authorization: dict[str, Any], kinds: list[str]
) -> None:
    api = {"ApiId": {"Ref": "Api"}}
    token = {"Issuer": "https://callers.example", "Audience": ["shop"]}
    resources = {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "api", "ProtocolType": "HTTP"}},
        "Callers": {
            "Type": "AWS::ApiGatewayV2::Authorizer",
            "Properties": {**api, "AuthorizerType": "JWT", "Name": "callers", "JwtConfiguration": token},
        },
        "Calls": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {**api, "IntegrationType": "AWS_PROXY", "IntegrationUri": {"Fn::GetAtt": ["F", "Arn"]}},
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **api,
                "RouteKey": "GET /a",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Calls"}]]},
                **authorization,
            },
        },
    }
    (found,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [route.key for route in found.routes] == ["GET /a"]
    assert list(found.notes) == [
        f"The authorization {kind} of Api is not emulated: what it guards is open here." for kind in kinds
    ]
    assert [route.authorizer for route in found.routes] == ["Callers" if "JWT" in authorization.values() else ""]


@pytest.mark.parametrize(("declared", "key"), [({}, "$default"), ({"RouteKey": "GET /a"}, "GET /a")])
def test_quick_create_has_the_route_that_is_named(tmp_path: Path, declared: dict[str, Any], key: str) -> None:
    properties = {"Name": "api", "ProtocolType": "HTTP", "Target": {"Fn::GetAtt": ["F", "Arn"]}, **declared}
    resources = {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties}}
    (api,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [(route.key, route.integration.function) for route in api.routes] == [(key, "F")]


@pytest.mark.parametrize(
    ("name", "has_stage", "stages"), [("Stage", False, ["Stage"]), ("v1", False, ["v1"]), ("v1", True, ["v1", "prod"])]
)
def test_a_deployment_that_names_a_stage_makes_it(
    tmp_path: Path, name: str, has_stage: bool, stages: list[str]
) -> None:
    api = {"RestApiId": {"Ref": "Api"}}
    resources: dict[str, Any] = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
        "Deployed": {"Type": "AWS::ApiGateway::Deployment", "Properties": {**api, "StageName": name}},
    }
    if has_stage:
        properties = {**api, "StageName": "prod", "DeploymentId": {"Ref": "Deployed"}}
        resources["Prod"] = {"Type": "AWS::ApiGateway::Stage", "Properties": properties}
    (found,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [stage.name for stage in found.stages] == stages


def test_the_stage_that_sam_adds_to_its_deployments_is_not_served(tmp_path: Path) -> None:
    resources = {"Api": rest_api(), "F": function_with({"A": rest_event("get", "/a")})}
    (found,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [stage.name for stage in found.stages] == ["prod"]


def test_a_function_behind_an_alias_is_found(tmp_path: Path) -> None:
    resources = {
        "Api": http_api(),
        "F": function_with({"A": http_event("GET", "/a")}, AutoPublishAlias="live"),
    }
    (api,) = TemplateApis(template(tmp_path, resources)).apis()
    assert [route.integration.function for route in api.routes] == ["F"]


def test_a_port_that_is_taken_leaves_none_open(tmp_path: Path) -> None:
    resources = {
        "One": http_api(),
        "Two": http_api(),
        "F": function_with({"A": http_event("GET", "/a", "One"), "B": http_event("GET", "/b", "Two")}),
    }

    async def scenario() -> None:
        apis = TemplateApis(template(tmp_path, resources)).apis()
        first = Gateway(apis, Functions({}), tmp_path)
        served = await first.start("127.0.0.1", [0, 0])
        taken = int(served[0].urls[0].rpartition(":")[2])
        second = Gateway(apis, Functions({}), tmp_path)
        with pytest.raises(OSError, match="in use"):
            await second.start("127.0.0.1", [0, taken])
        await first.stop()
        await second.stop()

    asyncio.run(scenario())
