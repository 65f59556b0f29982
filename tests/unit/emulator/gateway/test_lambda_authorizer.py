"""Lambda authorizers of HTTP APIs (Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers")."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.invocation import Outcome
from emulator.gateway.policy import PolicyError, Verdict, evaluate
from tests.unit.emulator.gateway.api_client import Client, function_with, http_api, http_event, serve

UNAUTHORIZED = (401, {"message": "Unauthorized"})
FORBIDDEN = (403, {"message": "Forbidden"})
FAILED = (500, {"message": "Internal Server Error"})


def secured(simple: bool = True, version: str = "2.0", event_version: str = "2.0", **authorizer: Any) -> dict[str, Any]:
    declared = {
        "FunctionArn": {"Fn::GetAtt": ["Guard", "Arn"]},
        "AuthorizerPayloadFormatVersion": version,
        "EnableSimpleResponses": simple,
        "Identity": {"Headers": ["Authorization"]},
        **authorizer,
    }
    events = {
        "A": http_event("GET", "/a/{x}", PayloadFormatVersion=event_version),
        "Open": http_event("GET", "/open", Auth={"Authorizer": "NONE"}),
    }
    return {
        "Api": http_api(Auth={"Authorizers": {"Guard": declared}, "DefaultAuthorizer": "Guard"}),
        "F": function_with(events),
        "Guard": function_with({}),
    }


def yes(_: Any) -> dict[str, Any]:
    return {"isAuthorized": True, "context": {"user": "u1", "level": 3, "list": ["a"]}}


def policy(effect: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": "u1", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **more}


WHO = {"Authorization": "me"}


def test_a_simple_yes_lets_in_and_its_context_is_in_the_event(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/a/b?q=1", WHO)
        assert answer.status == 200
        authorizer = answer.json["requestContext"]["authorizer"]
        assert authorizer == {"lambda": {"user": "u1", "level": 3, "list": ["a"]}}
        asked = client.functions.events[0]
        assert (asked["version"], asked["type"], asked["identitySource"]) == ("2.0", "REQUEST", ["me"])
        assert asked["routeArn"].startswith("arn:aws:execute-api:us-east-1:")
        assert asked["routeArn"].endswith("/$default/GET/a/b")
        assert asked["routeKey"] == "GET /a/{x}"
        assert asked["pathParameters"] == {"x": "b"}
        assert asked["queryStringParameters"] == {"q": "1"}
        assert not {"body", "isBase64Encoded"} & asked.keys()

    serve(tmp_path, secured(), work, Guard=yes)


def test_who_does_not_say_who_asks_is_401_and_the_function_is_not_called(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.get("/a/b")
        assert (answer.status, answer.json) == UNAUTHORIZED
        assert client.functions.called == []
        assert (await client.get("/open")).status == 200

    serve(tmp_path, secured(), work, Guard=yes)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"isAuthorized": False}, FORBIDDEN),
        ({}, FAILED),
        ({"isAuthorized": "yes"}, FAILED),
        ("Unauthorized", FAILED),
        (None, FAILED),
        (Outcome(b"{}", is_error=True), FAILED),
        (Outcome(b"no JSON"), FAILED),
    ],
)
def test_a_simple_no_is_403_and_what_is_no_answer_is_500(tmp_path: Path, answer: Any, expected: Any) -> None:
    async def work(client: Client) -> None:
        given = await client.request("GET", "/a/b", WHO)
        assert (given.status, given.json) == expected
        assert client.functions.called == ["Guard"]

    serve(tmp_path, secured(), work, Guard=lambda _: answer)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (policy("Allow"), 200),
        (policy("Allow", "arn:aws:execute-api:us-east-1:*:*/$default/GET/a/*"), 200),
        (policy("Allow", "arn:aws:execute-api:us-east-1:*:*/$default/POST/a/*"), 403),
        (policy("Deny"), 403),
        ({"principalId": "u1"}, 500),
        ({"policyDocument": policy("Allow")["policyDocument"]}, 500),
        ("Unauthorized", 500),
        (Outcome(b'{"errorMessage": "Unauthorized", "errorType": "Exception"}', is_error=True), 500),
    ],
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_policy_decides_where_simple_responses_are_off(
    tmp_path: Path, version: str, answer: Any, status: int
) -> None:
    async def work(client: Client) -> None:
        assert (await client.request("GET", "/a/b", WHO)).status == status

    serve(tmp_path, secured(simple=False, version=version), work, Guard=lambda _: answer)


def on_a_domain(base_path: str) -> dict[str, Any]:
    mapping = {"ApiId": {"Ref": "Api"}, "DomainName": "Shop.example.com", "Stage": "prod", "ApiMappingKey": base_path}
    resources = secured()
    resources["Api"]["Properties"]["StageName"] = "prod"
    resources["F"] = function_with({"A": http_event("GET", "/products/{x}")})
    return {**resources, "Mapping": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": mapping}}


@pytest.mark.parametrize(
    ("host", "base_path", "target"),
    [
        ("shop.example.com", "", "/products/1"),
        ("SHOP.example.com:3000", "", "/products/1"),
        ("shop.example.com", "v1", "/v1/products/1"),
        ("127.0.0.1", "v1", "/prod/products/1"),
    ],
)
def test_the_arn_has_the_stage_and_the_path_without_stage_and_base_path(
    tmp_path: Path, host: str, base_path: str, target: str
) -> None:
    async def work(client: Client) -> None:
        assert (await client.request("GET", target, {**WHO, "Host": host})).status == 200
        assert client.functions.events[0]["routeArn"].endswith("/prod/GET/products/1")

    serve(tmp_path, on_a_domain(base_path), work, Guard=yes)


def test_format_1_0_asks_with_a_method_arn(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/a/b", WHO)
        asked = client.functions.events[0]
        assert (asked["version"], asked["type"]) == ("1.0", "REQUEST")
        assert asked["methodArn"].endswith("/$default/GET/a/b")
        assert (asked["identitySource"], asked["authorizationToken"]) == ("me", "me")
        assert (asked["resource"], asked["path"], asked["httpMethod"]) == ("/a/{x}", "/a/b", "GET")
        assert answer.json["requestContext"]["authorizer"] == {"lambda": {"plan": "free"}}

    resources = secured(simple=False, version="1.0")
    serve(tmp_path, resources, work, Guard=lambda _: policy("Allow", context={"plan": "free"}))


def test_in_an_event_of_format_1_0_the_context_is_flat(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/a/b", WHO)
        assert answer.json["requestContext"]["authorizer"] == {"plan": "free", "principalId": "u1"}

    resources = secured(simple=False, event_version="1.0")
    serve(tmp_path, resources, work, Guard=lambda _: policy("Allow", context={"plan": "free"}))


def test_an_authorizer_that_takes_too_long_is_500_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.gateway.lambda_authorizer._LIMIT_SECONDS", 0.1)
    answered = asyncio.Event()

    async def slow(event: dict[str, Any]) -> dict[str, Any]:
        await answered.wait()  # it ends only after the request has been answered
        return yes(event)

    async def work(client: Client) -> None:
        answer = await client.request("GET", "/a/b", WHO)
        assert (answer.status, answer.json) == FAILED
        answered.set()

    serve(tmp_path, secured(), work, Guard=slow)


def test_an_authorizer_that_is_not_there_is_500(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.request("GET", "/a/b", WHO)
        assert (answer.status, answer.json) == FAILED

    serve(tmp_path, secured(), work)


def test_answers_are_kept_by_identity_for_their_time(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for who in ("me", "me", "you", "me"):
            assert (await client.request("GET", "/a/b", {"Authorization": who})).status == 200
        assert client.functions.called.count("Guard") == 2
        await asyncio.sleep(3.1)
        await client.request("GET", "/a/b", WHO)
        assert client.functions.called.count("Guard") == 3

    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": 3}
    serve(tmp_path, secured(Identity=identity), work, Guard=yes)


def test_without_a_time_to_live_nothing_is_kept(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for _ in range(2):
            await client.request("GET", "/a/b", WHO)
        assert client.functions.called.count("Guard") == 2

    serve(tmp_path, secured(), work, Guard=yes)


def test_a_kept_policy_is_held_against_each_request(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert (await client.request("GET", "/a/b", WHO)).status == 200
        assert (await client.request("GET", "/a/c", WHO)).status == 403
        assert client.functions.called.count("Guard") == 1

    identity = {"Headers": ["Authorization"], "ReauthorizeEvery": 300}
    resources = secured(simple=False, Identity=identity)
    serve(tmp_path, resources, work, Guard=lambda _: policy("Allow", "arn:aws:execute-api:*/GET/a/b"))


@pytest.mark.parametrize(
    ("identity", "target", "headers", "sources"),
    [
        ({"QueryStrings": ["key"]}, "/a/b?key=k1", {}, ["k1"]),
        ({"Headers": ["X-A"], "QueryStrings": ["key"]}, "/a/b?key=k1", {"x-a": "1"}, ["1", "k1"]),
        ({"Context": ["routeKey"]}, "/a/b", {}, ["GET /a/{x}"]),
        ({"Context": ["http.method"]}, "/a/b", {}, ["GET"]),
    ],
)
def test_identity_sources_may_be_anywhere_in_the_request(
    tmp_path: Path, identity: dict[str, Any], target: str, headers: dict[str, str], sources: list[str]
) -> None:
    async def work(client: Client) -> None:
        assert (await client.request("GET", target, headers)).status == 200
        assert client.functions.events[0]["identitySource"] == sources

    serve(tmp_path, secured(Identity=identity), work, Guard=yes)


def test_an_authorizer_guards_a_preflight_request_that_its_route_takes(tmp_path: Path) -> None:
    # The page on CORS says so of $default: a route of its own without authorization is needed.
    resources = secured()
    resources["Api"]["Properties"]["CorsConfiguration"] = {"AllowOrigins": ["*"], "AllowMethods": ["GET"]}
    resources["F"]["Properties"]["Events"]["Rest"] = http_event("ANY", "$default")

    async def work(client: Client) -> None:
        preflight = {"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
        assert (await client.request("OPTIONS", "/a/b", preflight)).status == 401

    serve(tmp_path, resources, work, Guard=yes)


# --- policies --------------------------------------------------------------------------------------------------------

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/GET/pets/1"


def statement(effect: str, resource: Any, action: Any = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([statement("Allow", ARN)], Verdict.ALLOWED),
        ([statement("Allow", "arn:aws:execute-api:*:*:*/prod/GET/*")], Verdict.ALLOWED),
        ([statement("Allow", "arn:aws:execute-api:*:*:*/prod/GET/pets/?")], Verdict.ALLOWED),
        ([statement("Allow", ["x", ARN])], Verdict.ALLOWED),
        ([statement("Allow", "*", "execute-api:*")], Verdict.ALLOWED),
        ([statement("Allow", "*", "EXECUTE-API:invoke")], Verdict.ALLOWED),
        ([statement("Allow", "*", "s3:GetObject")], Verdict.NOT_ALLOWED),
        ([statement("Allow", ARN + "2")], Verdict.NOT_ALLOWED),
        ([], Verdict.NOT_ALLOWED),
        ([statement("Allow", "*"), statement("Deny", ARN)], Verdict.DENIED),
        ([statement("Allow", "*"), statement("Deny", "other")], Verdict.ALLOWED),
        ({"Effect": "Allow", "Action": "execute-api:Invoke", "NotResource": "x"}, Verdict.ALLOWED),
    ],
)
def test_a_policy_is_read_as_iam_reads_it(statements: Any, verdict: Verdict) -> None:
    assert evaluate({"Statement": statements}, ARN) is verdict


@pytest.mark.parametrize("document", [None, "x", {}, {"Statement": "x"}, {"Statement": [{"Effect": "Maybe"}]}])
def test_what_is_no_policy_is_told(document: Any) -> None:
    with pytest.raises(PolicyError):
        evaluate(document, ARN)
