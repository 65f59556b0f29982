"""Route selection (Developer Guide, "Create routes for HTTP APIs in API Gateway", "Routing API requests")."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.gateway.definition import Integration, Route
from emulator.gateway.routes import HttpRoutes, RestResources
from tests.unit.emulator.gateway.api_client import Client, function_with, http_api, http_event, serve

# The example of the page, with what it says of each request.
DOCUMENTED = ("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")


def http_routes(*keys: str) -> HttpRoutes:
    return HttpRoutes([route(key) for key in keys])


def route(key: str) -> Route:
    method, _, path = key.partition(" ")
    return Route(method if path else "ANY", path or key, Integration("F"))


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/1", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
        ("POST /pets/dog/1", "ANY /{proxy+}"),
        ("GET /", "$default"),
    ],
)
def test_the_documented_priorities_hold(request_line: str, expected: str) -> None:
    method, _, path = request_line.partition(" ")
    match = http_routes(*DOCUMENTED).select(method, path)
    assert match is not None
    assert match.route.key == expected


@pytest.mark.parametrize(
    ("keys", "request_line", "expected"),
    [
        (("ANY /a", "GET /a"), "GET /a", "GET /a"),
        (("ANY /a", "GET /a"), "PUT /a", "ANY /a"),
        (("GET /a",), "HEAD /a", None),
        (("GET /a",), "GET /a/", None),
        (("GET /a/{x}",), "GET /a/", None),
        (("GET /a/{x}",), "GET /a/b/c", None),
        (("GET /a/{proxy+}",), "GET /a/b/c/", "GET /a/{proxy+}"),
        (("GET /a/{proxy+}",), "GET /a", None),
        (("GET /{x}/b", "GET /a/{y}"), "GET /a/b", "GET /a/{y}"),
        (("GET /a/{proxy+}", "GET /a/b/{proxy+}"), "GET /a/b/c", "GET /a/b/{proxy+}"),
        (("GET /a.b",), "GET /axb", None),
    ],
)
def test_the_more_specific_route_is_selected(keys: tuple[str, ...], request_line: str, expected: str | None) -> None:
    method, _, path = request_line.partition(" ")
    match = http_routes(*keys).select(method, path)
    assert (match.route.key if match else None) == expected


def test_path_variables_are_named() -> None:
    match = http_routes("GET /a/{x}/{rest+}").select("GET", "/a/one/two/three")
    assert match is not None
    assert match.parameters == {"x": "one", "rest": "two/three"}


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET /r/1", "GET /r/{id}"),
        ("GET /r/1/", "GET /r/{id}"),
        ("POST /r/1", None),  # the resource exists and has no POST: the greedy one is not asked
        ("POST /x/y", "ANY /{proxy+}"),
        ("GET /r", None),  # a parent is a resource without methods
        ("GET /", None),
    ],
)
def test_a_rest_api_selects_the_resource_and_then_the_method(request_line: str, expected: str | None) -> None:
    method, _, path = request_line.partition(" ")
    match = RestResources([route("GET /r/{id}"), route("ANY /{proxy+}")]).select(method, path)
    assert (match.route.key if match else None) == expected


def test_an_unknown_route_is_404_in_api_gateways_words(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.get("/b")
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})
        assert answer.header("content-type") == "application/json"
        assert answer.header("apigw-requestid")
        assert (await client.request("HEAD", "/a")).status == 404
        assert client.functions.events == []

    serve(tmp_path, {"Api": http_api(), "F": function_with({"A": http_event("GET", "/a")})}, work)


def test_a_stage_is_the_first_segment_of_the_path_and_stays_in_it(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        event = (await client.get("/v1/a/b")).json
        assert event["rawPath"] == "/v1/a/b"
        assert event["requestContext"]["http"]["path"] == "/v1/a/b"
        assert event["requestContext"]["stage"] == "v1"
        assert event["routeKey"] == "GET /a/{x}"
        assert event["pathParameters"] == {"x": "b"}
        assert event["stageVariables"] == {"color": "red"}
        assert (await client.get("/a/b")).status == 404
        assert (await client.get("/v1")).status == 404

    api = http_api(StageName="v1", StageVariables={"color": "red"})
    serve(tmp_path, {"Api": api, "F": function_with({"A": http_event("GET", "/a/{x}")})}, work)


def test_a_base_path_of_a_custom_domain_stays_in_the_path_and_is_no_part_of_the_route(tmp_path: Path) -> None:
    mapping = {
        "Type": "AWS::ApiGatewayV2::ApiMapping",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "DomainName": "shop.example",
            "Stage": {"Ref": "ApiApiGatewayDefaultStage"},
            "ApiMappingKey": "v1",
        },
    }

    async def work(client: Client) -> None:
        event = (await client.request("GET", "/v1/a", {"Host": "shop.example"})).json
        assert (event["rawPath"], event["routeKey"]) == ("/v1/a", "GET /a")
        assert event["requestContext"]["domainName"] == "shop.example"
        assert (await client.request("GET", "/v2/a", {"Host": "shop.example"})).status == 404
        assert (await client.get("/a")).status == 200

    serve(tmp_path, {"Api": http_api(), "Mapping": mapping, "F": function_with({"A": http_event("GET", "/a")})}, work)


def test_routes_that_a_template_declares_one_by_one_are_served(tmp_path: Path) -> None:
    resources = {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "api", "ProtocolType": "HTTP"}},
        "Call": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": ["F", "Arn"]},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": "GET /one",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Call"}]]},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
        },
    }

    async def work(client: Client) -> None:
        assert (await client.get("/one")).json["routeKey"] == "GET /one"
        assert (await client.get("/two")).status == 404

    serve(tmp_path, resources, work)
