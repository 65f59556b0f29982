"""Every fixture of both services is an event that AWS sends, for a route that the template declares.

The flat ones are HTTP API events ("Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", payload format
2.0). An HTTP API decodes the path before it fills in `rawPath`, so a path is quoted when it is sent again.
"""

import base64
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from sam_template import Route, Template
from sam_template.repository import REPOSITORY, TEMPLATE
from tools.event import folder_of

EVENTS = REPOSITORY / "events"
ROUTES = Template.load(TEMPLATE).routes
DEFAULT = "$default"


def route_key(route: Route) -> str:
    return DEFAULT if route.path == DEFAULT else f"{route.method} {route.path}"


def load(pattern: str) -> dict[str, Any]:
    # What `make record` wrote is whatever somebody asked for.
    paths = sorted(path for path in EVENTS.glob(pattern) if "recorded" not in path.parts)
    return {str(path.relative_to(EVENTS).with_suffix("")): json.loads(path.read_text("utf-8")) for path in paths}


FIXTURES, STAGED, REST, ALB = load("*/*.json"), load("*/stage/*.json"), load("*/rest/*.json"), load("*/alb/*.json")

ALWAYS = {"version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"}
SOMETIMES = {"cookies", "queryStringParameters", "pathParameters", "body"}
CONTEXT = {
    "accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "routeKey", "stage", "time", "timeEpoch",
}  # fmt: skip
HEADERS = {
    "accept", "content-length", "host", "user-agent", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port",
    "x-forwarded-proto",
}  # fmt: skip
# What `sam local` puts into every event of its own: a fixture that has them was not sent by AWS.
SAM_API_ID, SAM_ACCOUNT_ID = "1234567890", "123456789012"

each_fixture = pytest.mark.parametrize("event", FIXTURES.values(), ids=FIXTURES)
each_http_api_event = pytest.mark.parametrize("event", (FIXTURES | STAGED).values(), ids=FIXTURES | STAGED)


@pytest.fixture(scope="module")
def declared_routes() -> dict[str, set[str]]:
    """The route keys of each function that has some, by the folder of its fixtures."""
    declared: dict[str, set[str]] = {}
    for route in ROUTES:
        declared.setdefault(folder_of(route.function), set()).add(route_key(route))
    return declared


def filled_in(path: str, event: dict[str, Any]) -> str:
    """Return a route's path with the event's parameters in it."""
    for name, value in (event.get("pathParameters") or {}).items():
        assert "/" not in value or name == "proxy"
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    return path


def body_bytes(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body.encode()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route_key(route))
def test_every_declared_route_has_a_fixture(route: Route) -> None:
    folder = folder_of(route.function)
    keys = {event["routeKey"] for name, event in FIXTURES.items() if name.startswith(f"{folder}/")}
    resources = {event["resource"] for name, event in REST.items() if name.startswith(f"{folder}/")}

    command = f'make event ROUTE="{route.method} {route.path}"'
    assert route_key(route) in keys or route.path in resources, (
        f"events/{folder}/ has no event for it: run `{command}`."
    )


@pytest.mark.parametrize("name", FIXTURES)
def test_every_fixture_is_for_a_declared_route(name: str, declared_routes: dict[str, set[str]]) -> None:
    assert FIXTURES[name]["routeKey"] in declared_routes.get(name.partition("/")[0], set())


@each_http_api_event
def test_the_keys_are_those_of_payload_format_2(event: dict[str, Any]) -> None:
    assert event["version"] == "2.0"
    assert ALWAYS <= set(event) <= ALWAYS | SOMETIMES
    assert set(event["requestContext"]) == CONTEXT
    assert set(event["requestContext"]["http"]) == {"method", "path", "protocol", "sourceIp", "userAgent"}


@each_fixture
def test_the_method_and_the_path_match_the_route(event: dict[str, Any], declared_routes: dict[str, set[str]]) -> None:
    context = event["requestContext"]
    assert event["rawPath"] == context["http"]["path"]
    assert context["routeKey"] == event["routeKey"]
    assert context["stage"] == "$default"

    if event["routeKey"] == DEFAULT:
        assert "pathParameters" not in event
        named = {key for keys in declared_routes.values() for key in keys} - {DEFAULT}
        patterns = [re.sub(r"\\{.*?\\}", "[^/]+", re.escape(key)) for key in named]
        sent = f"{context['http']['method']} {event['rawPath']}"
        assert not any(re.fullmatch(pattern, sent) for pattern in patterns), "another route would get it"
    else:
        method, path = event["routeKey"].split(" ")
        assert (context["http"]["method"], event["rawPath"]) == (method, filled_in(path, event))


@pytest.mark.parametrize("event", STAGED.values(), ids=STAGED)
def test_a_named_stage_leads_the_path(event: dict[str, Any]) -> None:
    context = event["requestContext"]

    assert event["rawPath"] == context["http"]["path"]
    assert event["rawPath"].startswith(f"/{context['stage']}/")
    if event["routeKey"] != DEFAULT:
        assert event["rawPath"] == f"/{context['stage']}" + filled_in(event["routeKey"].split(" ")[1], event)


@each_http_api_event
def test_the_query_string_and_its_parameters_agree(event: dict[str, Any]) -> None:
    assert dict(parse_qsl(event["rawQueryString"], strict_parsing=bool(event["rawQueryString"]))) == event.get(
        "queryStringParameters", {}
    )


@each_http_api_event
def test_the_headers_are_those_of_api_gateway(event: dict[str, Any]) -> None:
    headers, context = event["headers"], event["requestContext"]

    assert set(headers) >= HEADERS
    assert all(name == name.lower() for name in headers)
    assert "cookie" not in headers
    assert int(headers["content-length"]) == len(body_bytes(event))
    assert ("content-type" in headers) == ("body" in event)
    # API Gateway hands a form over in base64, and JSON as it is.
    assert event["isBase64Encoded"] is ("form" in headers.get("content-type", ""))
    assert headers["host"] == context["domainName"]
    assert headers["user-agent"] == context["http"]["userAgent"]
    assert headers["x-forwarded-for"] == context["http"]["sourceIp"]
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])


@each_http_api_event
def test_the_context_is_of_a_deployed_api_and_names_no_real_account_or_address(event: dict[str, Any]) -> None:
    context = event["requestContext"]

    assert context["accountId"] == "111122223333" != SAM_ACCOUNT_ID
    assert context["apiId"] == context["domainPrefix"] != SAM_API_ID
    assert re.fullmatch(rf"{context['apiId']}\.execute-api\.[a-z0-9-]+\.amazonaws\.com", context["domainName"])
    assert re.fullmatch(r"203\.0\.113\.\d{1,3}", context["http"]["sourceIp"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", context["requestId"])
    sent = datetime.fromtimestamp(context["timeEpoch"] // 1000, UTC)
    assert context["time"] == sent.strftime("%d/%b/%Y:%H:%M:%S +0000")


def test_a_request_id_and_a_trace_are_seen_once() -> None:
    every = [*FIXTURES.values(), *STAGED.values()]
    request_ids = Counter(event["requestContext"]["requestId"] for event in every)
    traces = Counter(event["headers"]["x-amzn-trace-id"] for event in every)

    assert set(request_ids.values()) == set(traces.values()) == {1}


@pytest.mark.parametrize("event", REST.values(), ids=REST)
def test_a_rest_event_has_both_kinds_of_headers_and_no_version(event: dict[str, Any]) -> None:
    """A custom domain's base path mapping stays in `path`, as a stage does."""
    context = event["requestContext"]
    path = filled_in(event["resource"], event)
    base_path = "" if "execute-api" in context["domainName"] else "/prod"

    assert "version" not in event
    assert event["multiValueHeaders"] == {key: [value] for key, value in event["headers"].items()}
    assert event["resource"] == context["resourcePath"]
    assert event["path"] == f"{base_path}{path}"
    assert context["path"] == f"/{context['stage']}{path}"
    assert event["httpMethod"] == context["httpMethod"]
    assert event["headers"]["X-Forwarded-For"] == context["identity"]["sourceIp"]
    assert event["headers"]["Host"] == context["domainName"]
    assert ("content-type" in event["headers"]) == (event["body"] is not None)


@pytest.mark.parametrize("event", ALB.values(), ids=ALB)
def test_an_alb_event_names_its_target_group_and_has_lower_case_headers(event: dict[str, Any]) -> None:
    assert set(event["requestContext"]) == {"elb"}
    assert event["requestContext"]["elb"]["targetGroupArn"].startswith("arn:aws:elasticloadbalancing:")
    assert all(name == name.lower() for name in event["headers"])
    assert int(event["headers"].get("content-length", 0)) == len(body_bytes(event))
    assert event["path"].startswith("/")
