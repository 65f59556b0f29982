"""Access logs (Developer Guide, "Customizing HTTP API access logs", "Variables for access logging")."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.gateway.access_log import compiled
from emulator.gateway.token_issuer import TokenIssuer
from emulator.processes.ports import free_port
from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.unit.emulator.gateway.api_client import (
    Client,
    function_with,
    http_api,
    http_event,
    rest_api,
    rest_event,
    serve,
)

FORMAT = (
    '{"id":"$context.requestId","method":"$context.httpMethod","path":"$context.path","status":$context.status,'
    '"length":$context.responseLength,"key":"$context.routeKey","stage":"$context.stage","ip":"$context.identity.sourceIp",'
    '"error":"$context.integrationErrorMessage","gateway":"$context.error.message","nothing":"$context.none"}'
)


def template(log_format: str = FORMAT) -> dict[str, Any]:
    settings = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "Format": log_format}
    return {"Api": http_api(AccessLogSettings=settings), "F": function_with({"A": http_event("GET", "/a/{x}")})}


def lines(client: Client) -> list[dict[str, Any]]:
    return [json.loads(line) for file in client.logs.glob("*.log") for line in file.read_text().splitlines()]


def test_each_request_has_a_line_in_the_templates_format(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        answer = await client.get("/a/b")
        await client.get("/none")
        first, second = lines(client)
        assert first == {
            "id": answer.header("apigw-requestid"),
            "method": "GET",
            "path": "/a/b",
            "status": 200,
            "length": len(answer.body),
            "key": "GET /a/{x}",
            "stage": "$default",
            "ip": "127.0.0.1",
            "error": "-",
            "gateway": "-",
            "nothing": "-",
        }
        assert (second["status"], second["gateway"], second["key"]) == (404, "Not Found", "-")

    serve(tmp_path, template(), work)


def test_a_failed_integration_is_named(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await client.get("/a/b")
        assert lines(client)[0]["error"] == "The function's answer cannot be used: statusCode is 99."

    serve(tmp_path, template(), work, F=lambda _: {"statusCode": 99})


def test_what_a_client_sends_does_not_break_a_line(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await client.get("/a/%0a%22x%22%0d")
        (line,) = lines(client)
        assert line["path"] == '/a/\n"x"\r'

    serve(tmp_path, template(), work)


def test_a_rest_api_has_its_own_variables(tmp_path: Path) -> None:
    setting = {
        "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x",
        "Format": '{"resource":"$context.resourcePath","status":"$context.status","id":"$context.extendedRequestId"}',
    }

    async def work(client: Client) -> None:
        answer = await client.get("/prod/a")
        await client.get("/prod/none")
        first, second = lines(client)
        assert first == {"resource": "/a", "status": "200", "id": answer.header("x-amz-apigw-id")}
        assert (second["resource"], second["status"]) == ("-", "403")

    resources = {"Api": rest_api(AccessLogSetting=setting), "F": function_with({"A": rest_event("get", "/a")})}
    serve(tmp_path, resources, work)


AUTHORIZED = (
    '{"principal":"$context.authorizer.principalId","plan":"$context.authorizer.plan","admin":"$context.authorizer.admin",'
    '"sub":"$context.authorizer.claims.sub","failed":"$context.authorizer.error","quoted":$context.error.messageString}'
)
NOTHING = dict.fromkeys(("principal", "plan", "admin", "sub", "failed", "quoted"), "-")


def guarded(kind: str) -> dict[str, Any]:
    """Return an API whose log has what its Lambda authorizer says."""
    guard = {
        "FunctionArn": {"Fn::GetAtt": ["Guard", "Arn"]},
        "AuthorizerPayloadFormatVersion": "2.0",
        "Identity": {"Headers": ["Authorization"]},
    }
    auth = {"Authorizers": {"Guard": guard}, "DefaultAuthorizer": "Guard"}
    setting = {"DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x", "Format": AUTHORIZED}
    if kind == "HTTP":
        api, event = http_api(AccessLogSettings=setting, Auth=auth), http_event("GET", "/a")
    else:
        api, event = rest_api(AccessLogSetting=setting, Auth=auth), rest_event("get", "/a")
    return {"Api": api, "F": function_with({"A": event}), "Guard": function_with({})}


@pytest.mark.parametrize(("kind", "path"), [("HTTP", "/a"), ("REST", "/prod/a")])
def test_what_an_authorizer_says_is_in_the_log(tmp_path: Path, kind: str, path: str) -> None:
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    said: dict[str, Any] = {
        "principalId": "u1",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"plan": 'the "free" one', "admin": True},
    }

    async def work(client: Client) -> None:
        await client.request("GET", path, {"Authorization": "me"})
        await client.request("GET", path)
        said.clear()
        await client.request("GET", path, {"Authorization": "you"})
        allowed, refused, failed = lines(client)
        assert allowed == NOTHING | {"principal": "u1", "plan": 'the "free" one', "admin": "true"}
        assert refused == NOTHING | {"quoted": "Unauthorized"}
        assert failed["failed"] == "The authorizer's answer has no principalId."

    serve(tmp_path, guarded(kind), work, Guard=lambda _: said)


def test_the_claims_of_a_token_are_in_the_log(tmp_path: Path) -> None:
    issuer = TokenIssuer()
    port = free_port()
    callers = {
        "JwtConfiguration": {"issuer": f"http://127.0.0.1:{port}", "audience": ["shop"]},
        "IdentitySource": "$request.header.Authorization",
    }
    resources = guarded("HTTP")
    resources["Api"]["Properties"]["Auth"] = {"Authorizers": {"Callers": callers}, "DefaultAuthorizer": "Callers"}

    async def work(client: Client) -> None:
        await issuer.start(port)
        for audience in ("shop", "stranger"):
            token = issuer.token({"aud": audience, "sub": "u1"})
            await client.request("GET", "/a", {"Authorization": f"Bearer {token}"})
        await issuer.stop()
        allowed, refused = lines(client)
        assert allowed == NOTHING | {"sub": "u1"}
        assert "audience" in refused["failed"].lower()

    serve(tmp_path, resources, work)


@pytest.mark.parametrize(
    ("log_format", "expected"),
    [
        ("$context.a.b and $context.c.", "1 and 2."),
        ("${context.c}x", "2x"),
        ("no variable", "no variable"),
        ("$context.empty|$context.absent", "-|-"),
        ("$context.true|$context.list", 'true|[\\"a\\"]'),
        ("$context.error.messageString", '"-"'),
    ],
)
def test_variables_are_replaced_and_those_without_a_value_are_a_dash(log_format: str, expected: str) -> None:
    assert compiled(log_format)({"a.b": 1, "c": 2, "empty": "", "true": True, "list": ["a"]}) == expected


def test_the_shops_own_formats_are_json() -> None:
    from emulator.gateway.template_apis import TemplateApis

    stages = [stage for api in TemplateApis(Template.load(TEMPLATE)).apis() for stage in api.stages]
    formats = [stage.access_log_format for stage in stages if stage.access_log_format]
    assert formats
    for log_format in formats:
        variables = {member: text.removeprefix("$context.") for member, text in json.loads(log_format).items()}
        line = compiled(log_format)(dict.fromkeys(variables.values(), 'GET /"x"'))
        assert json.loads(line) == dict.fromkeys(variables, 'GET /"x"')
