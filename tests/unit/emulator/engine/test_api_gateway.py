import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samcli.local.events.api_event import (  # type: ignore[import-untyped]
    ApiGatewayLambdaEvent,
    ApiGatewayV2LambdaEvent,
    ContextHTTP,
    ContextIdentity,
    RequestContext,
    RequestContextV2,
)
from samcli.local.services.base_local_service import LambdaOutputParser  # type: ignore[import-untyped]

from emulator.engine import api_gateway, lambda_errors

TRACE_ID = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"


def synthesised_v2(**headers: str) -> dict[str, Any]:
    """An event as SAM CLI itself builds it."""
    http = ContextHTTP(method="GET", path="/hello", source_ip="127.0.0.1")
    context = RequestContextV2(http=http, route_key="GET /hello", request_time_epoch=1, request_time="then")
    event = ApiGatewayV2LambdaEvent(
        route_key="GET /hello",
        raw_path="/hello",
        raw_query_string="",
        cookies=[],
        headers=headers,
        request_context=context,
        body="",
    )
    return dict(event.to_dict())


def synthesised_v1() -> dict[str, Any]:
    context = RequestContext(resource_path="/hello", http_method="GET", stage="Prod", identity=ContextIdentity())
    event = ApiGatewayLambdaEvent(
        http_method="GET",
        resource="/hello",
        request_context=context,
        headers={"Accept": "*/*"},
        multi_value_headers={"Accept": ["*/*"]},
        path="/hello",
    )
    return dict(event.to_dict())


def corrected(event: dict[str, Any]) -> dict[str, Any]:
    result = api_gateway.correct(json.dumps(event, sort_keys=True).encode(), TRACE_ID)
    assert result.from_start_api
    return dict(json.loads(result.body))


def test_each_v2_event_gets_an_id_and_a_time_of_its_own() -> None:
    event = synthesised_v2()
    first, second = corrected(event), corrected(event)
    ids = {each["requestContext"]["requestId"] for each in (event, first, second)}
    assert len(ids) == 3
    assert first["requestContext"]["timeEpoch"] > 1_700_000_000_000
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", first["requestContext"]["time"])


def test_v2_header_names_are_lower_case_and_complete() -> None:
    event = corrected(synthesised_v2(**{"X-Api-Key": "Secret", "User-Agent": "curl/8"}))
    assert event["headers"] == {
        "x-api-key": "Secret",
        "user-agent": "curl/8",
        "x-amzn-trace-id": TRACE_ID,
        "x-forwarded-for": "127.0.0.1",
    }
    assert event["requestContext"]["http"]["userAgent"] == "curl/8"


def test_the_rest_of_a_v2_event_is_as_sam_made_it() -> None:
    event = synthesised_v2(Accept="*/*")
    after = corrected(event)
    for name in event.keys() - {"headers", "requestContext"}:
        assert after[name] == event[name]


def test_each_v1_event_gets_an_id_and_a_time_of_its_own() -> None:
    event = synthesised_v1()
    first, second = corrected(event), corrected(event)
    assert len({each["requestContext"]["requestId"] for each in (event, first, second)}) == 3
    assert first["requestContext"]["requestTimeEpoch"] >= event["requestContext"]["requestTimeEpoch"]
    assert first["headers"] == {"Accept": "*/*", "X-Amzn-Trace-Id": TRACE_ID}
    assert first["multiValueHeaders"] == {"Accept": ["*/*"], "X-Amzn-Trace-Id": [TRACE_ID]}


def fixture_v1() -> dict[str, Any]:
    """What `sam local generate-event apigateway aws-proxy` has in common with SAM's own event."""
    event = synthesised_v1()
    del event["requestContext"]["extendedRequestId"]
    return event


def fixture_v2() -> dict[str, Any]:
    event = synthesised_v2(Accept="*/*")
    event["requestContext"]["domainName"] = "abc.execute-api.us-east-1.amazonaws.com"
    return event


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps(fixture_v1(), indent=2).encode(),
        json.dumps(fixture_v2(), indent=2).encode(),
        b'{"requestContext": {"apiId": "1234567890", "accountId": "123456789012"}}',
        b'{"apiId": "1234567890"}',
        b'["1234567890"]',
        b"1234567890 not json",
        b"",
    ],
)
def test_an_event_of_the_developer_passes_through_untouched(raw: bytes) -> None:
    event = api_gateway.correct(raw, TRACE_ID)
    assert event.body == raw
    assert not event.from_start_api


@given(st.binary())
def test_no_bytes_break_it(raw: bytes) -> None:
    assert api_gateway.correct(raw, TRACE_ID).body == raw


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(
            {"errorMessage": "boom", "errorType": "ValueError", "requestId": "id", "stackTrace": ["x"]}
        ).encode(),
        json.dumps({"errorMessage": "boom", "errorType": "ValueError", "requestId": "id", "a": 1, "b": 2}).encode(),
        lambda_errors.timed_out("id", 3, "now").body(),
        lambda_errors.exited("id", 1).body(),
        lambda_errors.response_too_large().body(),
        b"not json",
        b"[]",
        b"{}",
    ],
)
def test_sam_recognises_every_error(payload: bytes) -> None:
    assert LambdaOutputParser.is_lambda_error_response(api_gateway.recognisable_error(payload))


def test_an_error_keeps_what_the_developer_reads() -> None:
    error = {"errorMessage": "boom", "errorType": "ValueError", "requestId": "id", "stackTrace": ["line"]}
    kept = json.loads(api_gateway.recognisable_error(json.dumps(error).encode()))
    assert kept == {"errorMessage": "boom", "errorType": "ValueError", "stackTrace": ["line"]}


def test_what_the_api_exposes_replaces_the_functions_own_cors_headers() -> None:
    answer = {"statusCode": 200, "headers": {"ETag": "1", "Access-Control-Allow-Origin": "*"}, "body": "ä"}
    exposed = json.loads(api_gateway.with_exposed_headers(json.dumps(answer).encode(), "etag,location"))
    assert exposed == answer | {"headers": {"ETag": "1", "access-control-expose-headers": "etag,location"}}
    assert json.loads(api_gateway.with_exposed_headers(b'{"statusCode": 204, "headers": null}', "")) == {
        "statusCode": 204,
        "headers": {},
    }


@pytest.mark.parametrize("payload", [b"", b"no json", b"[]", b'"text"', b'{"message": "no proxy answer"}', b"null"])
def test_an_answer_that_is_no_http_answer_is_left_alone(payload: bytes) -> None:
    assert api_gateway.with_exposed_headers(payload, "etag") == payload


def test_a_request_of_a_page_is_known_by_its_origin() -> None:
    for headers, is_page in (({"Origin": "https://shop.example"}, True), ({"Accept": "*/*"}, False)):
        raw = json.dumps(synthesised_v2(**headers)).encode()
        assert api_gateway.correct(raw, TRACE_ID).has_origin == is_page


def test_a_request_over_the_limit_is_answered_with_413_that_says_the_limit() -> None:
    answer = json.loads(api_gateway.request_too_large())
    assert answer["statusCode"] == 413
    assert "6291456 bytes" in json.loads(answer["body"])["message"]


def test_an_event_tells_the_route_that_sam_chose() -> None:
    first, second = (
        api_gateway.correct(json.dumps(event).encode(), TRACE_ID) for event in (synthesised_v1(), synthesised_v2())
    )
    assert (first.route_key, second.route_key) == ("GET /hello", "GET /hello")


@pytest.mark.parametrize(
    ("payload", "is_error", "status"),
    [
        (b'{"statusCode": 404, "body": "{\\"statusCode\\": 200}"}', False, 404),
        (b'{"statusCode": "201"}', False, 201),
        (b'{"message": "hello"}', False, 200),
        (b'"hello"', False, 200),
        (b'{"statusCode": "many"}', False, 500),
        (b'{"statusCode": null}', False, 500),
        (b"\xff", False, 500),
        (b'{"errorType": "KeyError"}', True, 500),
    ],
)
def test_an_answer_has_the_status_that_api_gateway_makes_of_it(payload: bytes, is_error: bool, status: int) -> None:
    assert api_gateway.status(payload, is_error=is_error) == status
