"""REST APIs (Developer Guide, "Set up Lambda proxy integrations in API Gateway", "Gateway response types")."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.invocation import Outcome
from tests.events import load_event
from tests.unit.emulator.gateway.api_client import Client, function_with, rest_api, rest_event, serve, serve_all


def template(api: dict[str, Any] | None = None, **event: Any) -> dict[str, Any]:
    events = {"A": rest_event("any", "/a/{x}", **event), "P": rest_event("get", "/files/{proxy+}")}
    return {"Api": api or rest_api(), "F": function_with(events)}


def test_an_event_describes_the_whole_request(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        headers = {"X-Twice": "one", "User-Agent": "test/1"}
        raw = "GET /prod/a/b%20c?q=1&q=2 HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\nX-Twice: two\r\n"
        raw += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        event = (await client.send(raw.encode())).json
        assert (event["resource"], event["path"], event["httpMethod"]) == ("/a/{x}", "/a/b c", "GET")
        assert event["pathParameters"] == {"x": "b c"}
        assert event["headers"]["X-Twice"] == "one"
        assert event["multiValueHeaders"]["X-Twice"] == ["two", "one"]
        assert event["queryStringParameters"] == {"q": "2"}
        assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
        assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
        assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == (None, False, None)
        context = event["requestContext"]
        assert (context["stage"], context["path"]) == ("prod", "/prod/a/b c")
        assert (context["resourcePath"], context["httpMethod"]) == ("/a/{x}", "GET")
        assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "test/1")
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", context["requestId"])

    serve(tmp_path, template(), work)


def test_an_event_has_the_members_of_a_recorded_one(tmp_path: Path) -> None:
    recorded = load_event("inventory/rest/get_item.json")

    async def work(client: Client) -> None:
        event = (await client.request("GET", "/prod/a/b", {"accept": "*/*", "User-Agent": "curl/8.15.0"})).json
        assert event.keys() == recorded.keys()
        assert event["headers"].keys() == recorded["headers"].keys()
        assert recorded["requestContext"].keys() - event["requestContext"].keys() == {"deploymentId"}
        assert event["requestContext"]["identity"].keys() == recorded["requestContext"]["identity"].keys()

    serve(tmp_path, template(), work)


def test_stage_variables_are_in_the_event(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert (await client.get("/prod/a/b")).json["stageVariables"] == {"color": "red"}

    serve(tmp_path, template(rest_api(Variables={"color": "red"})), work)


def test_what_no_method_takes_is_403_missing_authentication_token(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for method, path in (
            ("GET", "/prod/none"),
            ("POST", "/prod/files/x"),
            ("GET", "/prod/files"),
            ("GET", "/prod"),
        ):
            answer = await client.request(method, path)
            assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
            assert answer.header("x-amzn-errortype") == "MissingAuthenticationTokenException"
            assert answer.header("x-amzn-requestid")

    serve(tmp_path, template(), work)


def test_a_stage_that_is_not_there_is_403_forbidden(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.get("/staging/a/b")
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})

    serve(tmp_path, template(), work)


@pytest.mark.parametrize(
    ("types", "content_type", "is_encoded"),
    [
        ([], "image/png", False),
        (["image~1png"], "image/png", True),
        (["image~1*"], "image/png", True),
        (["image~1png"], "application/json", False),
        (["*~1*"], "application/json", True),
    ],
)
def test_a_body_is_base64_where_the_api_says_so(
    tmp_path: Path, types: list[str], content_type: str, is_encoded: bool
) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("POST", "/prod/a/b", {"content-type": content_type, "accept": "x/y"}, b"{}")
        event = client.functions.event
        assert answer.status == 200
        assert event["isBase64Encoded"] is is_encoded
        assert event["body"] == (base64.b64encode(b"{}").decode() if is_encoded else "{}")

    serve(tmp_path, template(rest_api(BinaryMediaTypes=types)), work)


@pytest.mark.parametrize(
    ("types", "accept", "body"),
    [
        (["image~1png"], "image/png", b"\x89PNG"),
        (["image~1png"], "image/png, */*", b"\x89PNG"),
        (["*~1*"], "text/html", b"\x89PNG"),
        (["image~1png"], "text/html, image/png", b"iVBORw=="),
        ([], "image/png", b"iVBORw=="),
    ],
)
def test_a_base64_answer_is_decoded_for_who_accepts_it_first(
    tmp_path: Path, types: list[str], accept: str, body: bytes
) -> None:
    answered = {
        "statusCode": 200,
        "headers": {"content-type": "image/png"},
        "body": "iVBORw==",
        "isBase64Encoded": True,
    }

    async def work(client: Client) -> None:
        assert (await client.request("GET", "/prod/a/b", {"Accept": accept})).body == body

    serve(tmp_path, template(rest_api(BinaryMediaTypes=types)), work, F=lambda _: answered)


def test_headers_that_api_gateway_keeps_for_itself_are_renamed(tmp_path: Path) -> None:
    headers = {"Date": "then", "Server": "mine", "X-Own": "kept"}

    async def work(client: Client) -> None:
        answer = await client.get("/prod/a/b")
        assert answer.header("x-amzn-remapped-date") == "then"
        assert answer.header("x-amzn-remapped-server") == "mine"
        assert answer.header("x-own") == "kept"
        assert answer.header("date") != "then"
        assert answer.header("content-type") == "application/json"

    serve(tmp_path, template(), work, F=lambda _: {"statusCode": 200, "headers": headers, "body": "{}"})


def test_the_preflight_answer_that_sam_declares_is_given(tmp_path: Path) -> None:
    cors = {"AllowOrigin": "'https://shop.example'", "AllowHeaders": "'content-type'", "AllowMethods": "'GET,POST'"}

    async def work(client: Client) -> None:
        answer = await client.request("OPTIONS", "/prod/a/b")
        assert answer.status == 200
        assert answer.header("access-control-allow-origin") == "https://shop.example"
        assert answer.header("access-control-allow-headers") == "content-type"
        assert client.functions.events == []

    api = rest_api(Cors=cors)
    resources = {"Api": api, "F": function_with({"A": rest_event("get", "/a/{x}")})}
    serve(tmp_path, resources, work)


def test_methods_that_a_template_declares_one_by_one_are_served(tmp_path: Path) -> None:
    invoke = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${%s.Arn}/invocations"
    api = {"RestApiId": {"Ref": "Api"}}
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}},
        "Pets": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {**api, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "pets"},
        },
        "Pet": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {**api, "ParentId": {"Ref": "Pets"}, "PathPart": "{id}"},
        },
        "Tokens": {
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                **api,
                "Name": "tokens",
                "Type": "TOKEN",
                "IdentitySource": "method.request.header.Authorization",
                "AuthorizerUri": {"Fn::Sub": invoke % "Guard"},
            },
        },
        "GetPet": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                **api,
                "ResourceId": {"Ref": "Pet"},
                "HttpMethod": "GET",
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "Tokens"},
                "Integration": {
                    "Type": "AWS_PROXY",
                    "IntegrationHttpMethod": "POST",
                    "Uri": {"Fn::Sub": invoke % "F"},
                },
            },
        },
        "Deployed": {"Type": "AWS::ApiGateway::Deployment", "Properties": {**api, "StageName": "v1"}},
        "Guard": function_with({}),
    }

    async def work(client: Client) -> None:
        answer = await client.request("GET", "/v1/pets/7", {"Authorization": "me"})
        assert (answer.json["resource"], answer.json["pathParameters"]) == ("/pets/{id}", {"id": "7"})
        assert (await client.get("/v1/pets/7")).status == 401
        assert (await client.get("/v1/pets")).json == {"message": "Missing Authentication Token"}

    serve(tmp_path, resources, work, Guard=lambda _: policy("Allow"))


# --- authorizers -----------------------------------------------------------------------------------------------------


def policy(effect: str, **more: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    return {"principalId": "u1", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


def raised(words: str) -> Outcome:
    """Return what Lambda answers for `raise Exception(words)`."""
    error = {"errorMessage": words, "errorType": "Exception", "requestId": "1", "stackTrace": []}
    return Outcome(json.dumps(error).encode(), is_error=True)


def secured(**authorizer: Any) -> dict[str, Any]:
    declared = {"FunctionArn": {"Fn::GetAtt": ["Guard", "Arn"]}, **authorizer}
    api = rest_api(Auth={"Authorizers": {"Guard": declared}, "DefaultAuthorizer": "Guard"})
    return {**template(api), "Guard": function_with({})}


def test_a_token_authorizer_gets_the_token_and_lets_in(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/prod/a/b", {"Auth": "allow-me"})
        assert answer.status == 200
        asked = client.functions.events[0]
        assert (asked["type"], asked["authorizationToken"]) == ("TOKEN", "allow-me")
        assert asked["methodArn"].endswith("/prod/GET/a/b")
        given = answer.json["requestContext"]["authorizer"]
        assert (given["principalId"], given["plan"]) == ("u1", "free")
        for headers in ({}, {"Auth": "deny-me"}):
            refused = await client.request("GET", "/prod/a/b", headers)
            assert (refused.status, refused.json) == (401, {"message": "Unauthorized"})
            assert refused.header("x-amzn-errortype") == "UnauthorizedException"
        await client.request("GET", "/prod/a/c", {"Auth": "allow-me"})
        assert client.functions.called.count("Guard") == 1

    identity = {"Header": "Auth", "ValidationExpression": "^allow.*", "ReauthorizeEvery": 60}
    serve(tmp_path, secured(Identity=identity), work, Guard=lambda _: policy("Allow", context={"plan": "free"}))


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (policy("Deny"), 403, {"Message": "User is not authorized to access this resource with an explicit deny"}),
        (
            {"principalId": "u", "policyDocument": {"Statement": []}},
            403,
            {"Message": "User is not authorized to access this resource"},
        ),
        ({}, 500, {"message": None}),
        ("Unauthorized", 500, {"message": None}),
        (raised("Unauthorized"), 401, {"message": "Unauthorized"}),
        (raised("unauthorized"), 500, {"message": None}),
        (Outcome(b"no JSON", is_error=True), 500, {"message": None}),
        (policy("Allow", context={"plan": {"name": "free"}}), 500, {"message": None}),
        (policy("Allow", context={"plans": ["free"]}), 500, {"message": None}),
    ],
)
def test_a_refusal_of_an_authorizer_is_in_api_gateways_words(
    tmp_path: Path, answer: Any, status: int, body: dict[str, Any]
) -> None:
    async def work(client: Client) -> None:
        given = await client.request("GET", "/prod/a/b", {"Authorization": "x"})
        assert (given.status, given.json) == (status, body)
        errors = {401: "UnauthorizedException", 403: "AccessDeniedException", 500: "AuthorizerConfigurationException"}
        assert given.header("x-amzn-errortype") == errors[status]

    serve(tmp_path, secured(), work, Guard=lambda _: answer)


def test_an_authorizer_that_says_unauthorized_is_asked_again(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for _ in range(2):
            assert (await client.request("GET", "/prod/a/b", {"Authorization": "x"})).status == 401
        assert client.functions.called == ["Guard", "Guard"]

    serve(tmp_path, secured(Identity={"ReauthorizeEvery": 60}), work, Guard=lambda _: raised("Unauthorized"))


def test_the_authorizers_context_reaches_the_function_as_texts(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        given = (await client.request("GET", "/prod/a/b", {"Authorization": "x"})).json["requestContext"]["authorizer"]
        assert isinstance(given.pop("integrationLatency"), int)
        assert given == {"principalId": "u1", "plan": "free", "level": "3", "share": "0.5", "admin": "true"}

    context = {"plan": "free", "level": 3, "share": 0.5, "admin": True, "none": None}
    serve(tmp_path, secured(), work, Guard=lambda _: policy("Allow", context=context))


def test_a_request_authorizer_needs_all_its_sources_and_gets_the_request(tmp_path: Path) -> None:
    identity = {"Headers": ["X-A"], "QueryStrings": ["key"], "StageVariables": ["color"], "ReauthorizeEvery": 60}

    async def work(client: Client) -> None:
        assert (await client.request("GET", "/prod/a/b", {"X-A": "1"})).status == 401
        assert client.functions.called == []
        assert (await client.request("GET", "/prod/a/b?key=k", {"X-A": "1"})).status == 200
        asked = client.functions.events[0]
        assert (asked["type"], asked["path"], asked["resource"]) == ("REQUEST", "/a/b", "/a/{x}")
        assert asked["queryStringParameters"] == {"key": "k"}
        assert "body" not in asked

    resources = secured(FunctionPayloadType="REQUEST", Identity=identity)
    resources["Api"]["Properties"]["Variables"] = {"color": "red"}
    serve(tmp_path, resources, work, Guard=lambda _: policy("Allow"))


# --- API keys --------------------------------------------------------------------------------------------------------


def with_keys(**plan: Any) -> dict[str, Any]:
    usage = {"CreateUsagePlan": "PER_API", **plan}
    resources = template(rest_api(Auth={"ApiKeyRequired": True, "UsagePlan": usage}))
    return {**resources, **key("Other", "a-key-of-twenty-characters")}


def key(name: str, value: str) -> dict[str, Any]:
    return {
        name: {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": value}},
        f"{name}Link": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {
                "KeyId": {"Ref": name},
                "KeyType": "API_KEY",
                "UsagePlanId": {"Ref": "ApiUsagePlan"},
            },
        },
    }


KEY = {"X-Api-Key": "a-key-of-twenty-characters"}


def test_without_a_key_of_a_plan_it_is_403(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for headers in ({}, {"X-Api-Key": "wrong"}):
            answer = await client.request("GET", "/prod/a/b", headers)
            assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
        answer = await client.request("GET", "/prod/a/b", KEY)
        assert answer.status == 200
        identity = answer.json["requestContext"]["identity"]
        assert (identity["apiKey"], identity["apiKeyId"]) == (KEY["X-Api-Key"], "Other")

    serve(tmp_path, with_keys(), work)


def two_apis(**plan: Any) -> dict[str, Any]:
    """Return two APIs in one plan."""
    resources = {name: rest_api(Auth={"ApiKeyRequired": True}) for name in ("One", "Two")}
    events = {name: rest_event("get", "/a", name) for name in resources}
    stages = [{"ApiId": {"Ref": name}, "Stage": {"Ref": f"{name}prodStage"}} for name in resources]
    shared = {"Type": "AWS::ApiGateway::UsagePlan", "Properties": {"ApiStages": stages, **plan}}
    return {**resources, "F": function_with(events), "ApiUsagePlan": shared, **key("Other", KEY["X-Api-Key"])}


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"Throttle": {"RateLimit": 0.001, "BurstLimit": 3}}, "Too Many Requests"),
        ({"Quota": {"Limit": 3, "Period": "DAY"}}, "Limit Exceeded"),
    ],
)
def test_a_plan_counts_a_key_over_all_its_apis(tmp_path: Path, plan: dict[str, Any], words: str) -> None:
    async def work(one: Client, two: Client) -> None:
        answers = [await each.request("GET", "/prod/a", KEY) for each in (one, two, one, two)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json == {"message": words}

    serve_all(tmp_path, two_apis(**plan), work)


def test_a_plan_throttles_each_key_and_counts_its_quota(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answers = [await client.request("GET", "/prod/a/b", KEY) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 429, 429]
        assert answers[2].json == {"message": "Limit Exceeded"}
        assert answers[3].json == {"message": "Too Many Requests"}

    plan = {"Throttle": {"RateLimit": 0.001, "BurstLimit": 3}, "Quota": {"Limit": 2, "Period": "DAY"}}
    serve(tmp_path, with_keys(**plan), work)
