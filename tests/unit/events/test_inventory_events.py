"""The inventory's fixtures are the events that AWS sends, for every route that the template declares and for no other.

The flat ones are HTTP API events ("Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", payload format
2.0). An HTTP API decodes the path before it fills in `rawPath`, so a path is quoted when it is sent again.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from emulator.template import Template

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "events" / "inventory"
FUNCTION = "InventoryFunction"
FIXTURES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.glob("*.json"))}
SKUS = {product["sku"] for product in json.loads((ROOT / "emulator" / "data" / "catalog.json").read_text("utf-8"))}

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


@pytest.fixture(scope="module")
def declared_routes() -> set[str]:
    template = Template.load(ROOT / "template.yaml")
    return {f"{route.method} {route.path}" for route in template.routes if route.function == FUNCTION}


def read(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def event_sku(event: dict[str, Any]) -> str:
    sku: str = event["pathParameters"]["sku"]
    assert sku in SKUS
    return sku


def test_every_declared_route_has_a_fixture_and_every_fixture_a_declared_route(declared_routes: set[str]) -> None:
    assert declared_routes
    assert {event["routeKey"] for event in FIXTURES.values()} == declared_routes


@each_fixture
def test_the_keys_are_those_of_payload_format_2(event: dict[str, Any]) -> None:
    assert event["version"] == "2.0"
    assert ALWAYS <= set(event) <= ALWAYS | SOMETIMES
    assert set(event["requestContext"]) == CONTEXT
    assert set(event["requestContext"]["http"]) == {"method", "path", "protocol", "sourceIp", "userAgent"}
    assert event["isBase64Encoded"] is False


@each_fixture
def test_the_method_and_the_path_match_the_route(event: dict[str, Any]) -> None:
    method, path = event["routeKey"].split(" ")
    for name, value in event.get("pathParameters", {}).items():
        assert "/" not in value
        path = path.replace(f"{{{name}}}", value)

    context = event["requestContext"]
    assert event["rawPath"] == context["http"]["path"] == path
    assert method == context["http"]["method"]
    assert context["routeKey"] == event["routeKey"]
    assert context["stage"] == "$default"


@each_fixture
def test_the_query_string_and_its_parameters_agree(event: dict[str, Any]) -> None:
    assert dict(parse_qsl(event["rawQueryString"], strict_parsing=bool(event["rawQueryString"]))) == event.get(
        "queryStringParameters", {}
    )


@each_fixture
def test_the_headers_are_those_of_api_gateway(event: dict[str, Any]) -> None:
    headers, context = event["headers"], event["requestContext"]

    assert set(headers) >= HEADERS
    assert all(name == name.lower() for name in headers)
    assert "cookie" not in headers
    assert int(headers["content-length"]) == len(event.get("body", "").encode())
    assert ("content-type" in headers) == ("body" in event)
    assert headers["host"] == context["domainName"]
    assert headers["user-agent"] == context["http"]["userAgent"]
    assert headers["x-forwarded-for"] == context["http"]["sourceIp"]
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", "443")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"])


@each_fixture
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
    request_ids = Counter(event["requestContext"]["requestId"] for event in FIXTURES.values())
    traces = Counter(event["headers"]["x-amzn-trace-id"] for event in FIXTURES.values())

    assert set(request_ids.values()) == set(traces.values()) == {1}


def test_a_write_that_succeeds_has_an_item_of_its_own() -> None:
    written = Counter(
        event["pathParameters"]["sku"]
        for event in FIXTURES.values()
        if "sku" in event.get("pathParameters", {}) and event["requestContext"]["http"]["method"] != "GET"
    )
    del written["NO-SUCH-ITEM"]
    read_items = {event["pathParameters"]["sku"] for name, event in FIXTURES.items() if name.startswith("get_item")} - {
        "NO-SUCH-ITEM"
    }

    assert set(written.values()) == {1}
    assert read_items <= SKUS
    assert not read_items & set(written)
    assert "NO-SUCH-ITEM" not in SKUS
    for new in ("create_item", "put_item_new"):
        event = FIXTURES[new]
        assert event.get("pathParameters", json.loads(event["body"]))["sku"] not in SKUS


def test_a_named_stage_leads_the_path() -> None:
    event = read("stage/get_item")

    assert event["version"] == "2.0"
    assert event["requestContext"]["stage"] == "prod"
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == f"/prod/inventory/{event_sku(event)}"


@pytest.mark.parametrize(("name", "base_path"), [("rest/get_item", ""), ("rest/get_item_stage", "/prod")])
def test_a_rest_event_has_both_kinds_of_headers_and_no_version(name: str, base_path: str) -> None:
    """A custom domain's base path mapping stays in `path`, as a stage does."""
    event = read(name)
    context = event["requestContext"]

    assert "version" not in event
    assert event["multiValueHeaders"] == {key: [value] for key, value in event["headers"].items()}
    assert event["resource"] == context["resourcePath"] == "/inventory/{sku}"
    assert event["path"] == f"{base_path}/inventory/{event_sku(event)}"
    assert context["path"] == f"/{context['stage']}/inventory/{event_sku(event)}"
    assert event["httpMethod"] == context["httpMethod"] == "GET"
    assert event["headers"]["X-Forwarded-For"] == context["identity"]["sourceIp"]


def test_an_alb_event_names_its_target_group_and_has_lower_case_headers() -> None:
    event = read("alb/get_item")

    assert event["requestContext"]["elb"]["targetGroupArn"].startswith("arn:aws:elasticloadbalancing:")
    assert all(name == name.lower() for name in event["headers"])
    assert event["httpMethod"] == "GET"
    assert event["path"].removeprefix("/inventory/") in SKUS
