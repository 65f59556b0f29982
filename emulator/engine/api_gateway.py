"""What `sam local start-api` gets wrong about API Gateway and an engine can put right at its own boundary.

SAM CLI computes the request id and the time of an event once per process (`samcli/local/events/api_event.py`: default
arguments), keeps the case of header names, and knows a function's error only by its keys
(`LambdaOutputParser.is_lambda_error_response`). An event that SAM did not synthesise passes through untouched.
Formats: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (2.0) and "Input format of a
Lambda function for proxy integration" (1.0).
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.engine.lambda_errors import REQUEST_LIMIT_BYTES

_API_ID, _ACCOUNT_ID = "1234567890", "123456789012"
_USER_AGENT = "Custom User Agent String"


@dataclass(frozen=True)
class Event:
    """An event as the function gets it.

    `from_start_api` tells whether SAM synthesised it from an HTTP request, `has_origin` whether that request names the
    origin of a page, `route_key` which route SAM chose.
    """

    body: bytes
    from_start_api: bool
    has_origin: bool = False
    route_key: str = ""


def correct(raw: bytes, trace_id: str) -> Event:
    """Return the event with what SAM gets wrong put right, if it is one that SAM synthesised."""
    if _API_ID.encode() not in raw:
        return Event(raw, from_start_api=False)
    try:
        event = json.loads(raw)
    except ValueError:
        return Event(raw, from_start_api=False)
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return Event(raw, from_start_api=False)
    if _is_synthesised_v2(event):
        _correct_v2(event, trace_id)
    elif _is_synthesised_v1(event):
        _correct_v1(event, trace_id)
    else:
        return Event(raw, from_start_api=False)
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    has_origin = any(name.lower() == "origin" for name in event.get("headers") or ())
    route_key = event.get("routeKey") or f"{event.get('httpMethod')} {event.get('resource')}"
    return Event(body, from_start_api=True, has_origin=has_origin, route_key=str(route_key))


def recognisable_error(payload: bytes) -> bytes:
    """Return a function's error in the keys by which SAM knows one.

    The client of start-api gets 500 and not 200 then, that of start-lambda a FunctionError.
    """
    try:
        error = json.loads(payload)
    except ValueError:
        error = None
    if not isinstance(error, dict):
        error = {"errorType": "Unhandled", "errorMessage": payload.decode(errors="replace")}
    kept = {name: error[name] for name in ("errorMessage", "errorType", "stackTrace", "cause") if name in error}
    return json.dumps({"errorMessage": "", "errorType": "Unhandled", **kept}).encode()


def with_exposed_headers(payload: bytes, exposed: str) -> bytes:
    """Return a function's answer with the CORS headers of its own taken out, and those that the API exposes.

    SAM adds the other CORS headers. API Gateway ignores the function's own (API Gateway Developer Guide, "Configure
    CORS for HTTP APIs in API Gateway").
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        return payload
    headers = answer.get("headers") or {} if isinstance(answer, dict) and "statusCode" in answer else None
    if not isinstance(headers, dict):
        return payload
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("access-control-")}
    exposing = {"access-control-expose-headers": exposed} if exposed else {}
    return json.dumps({**answer, "headers": {**kept, **exposing}}, ensure_ascii=False).encode()


def status(payload: bytes, *, is_error: bool) -> int:
    """Return the HTTP status that API Gateway makes of a function's answer; without one in it that is 200."""
    if is_error:
        return 500
    try:
        answer = json.loads(payload)
        return int(answer.get("statusCode", 200)) if isinstance(answer, dict) else 200
    except (TypeError, ValueError):
        return 500


def request_too_large() -> bytes:
    """Return API Gateway's answer to a request whose event is larger than Lambda takes."""
    message = (
        f"Request Entity Too Large: the event of this request exceeds Lambda's limit of {REQUEST_LIMIT_BYTES} bytes."
    )
    answer = {
        "statusCode": 413,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message}),
    }
    return json.dumps(answer).encode()


def _is_synthesised_v2(event: dict[str, Any]) -> bool:
    context = event["requestContext"]
    http = context.get("http")
    return (
        event.get("version") == "2.0"
        and _has_sam_ids(context)
        and context.get("domainName") == "localhost"
        and isinstance(http, dict)
        and http.get("userAgent") == _USER_AGENT
    )


def _is_synthesised_v1(event: dict[str, Any]) -> bool:
    # The samples of `sam local generate-event` have the same ids, but no extendedRequestId.
    context = event["requestContext"]
    return _has_sam_ids(context) and context.get("extendedRequestId", "absent") is None


def _has_sam_ids(context: dict[str, Any]) -> bool:
    return context.get("apiId") == _API_ID and context.get("accountId") == _ACCOUNT_ID


def _correct_v2(event: dict[str, Any], trace_id: str) -> None:
    context = event["requestContext"]
    headers = {str(name).lower(): value for name, value in (event.get("headers") or {}).items()}
    headers.setdefault("x-amzn-trace-id", trace_id)
    headers.setdefault("x-forwarded-for", context["http"].get("sourceIp") or "127.0.0.1")
    event["headers"] = headers
    if "user-agent" in headers:
        context["http"]["userAgent"] = headers["user-agent"]
    context["requestId"] = _request_id_v2()
    context["time"], context["timeEpoch"] = _now()


def _correct_v1(event: dict[str, Any], trace_id: str) -> None:
    context = event["requestContext"]
    context["requestId"] = str(uuid.uuid4())
    context["extendedRequestId"] = _request_id_v2()
    context["requestTime"], context["requestTimeEpoch"] = _now()
    if isinstance(event.get("headers"), dict):
        event["headers"].setdefault("X-Amzn-Trace-Id", trace_id)
    if isinstance(event.get("multiValueHeaders"), dict):
        event["multiValueHeaders"].setdefault("X-Amzn-Trace-Id", [trace_id])


def _request_id_v2() -> str:
    # HTTP APIs have short ids, for example JKJaXmPLvHcESHA=; length and alphabet are the same here.
    return uuid.uuid4().hex[:15] + "="


def _now() -> tuple[str, int]:
    """Return the time in Common Log Format and in milliseconds."""
    now = time.time()
    return datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"), int(now * 1000)
