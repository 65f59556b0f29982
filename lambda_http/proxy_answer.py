"""An adapter's answer in the format of the event's source.

Sources: API Gateway Developer Guide, "Lambda function response" for HTTP APIs (payload 1.0 and 2.0) and "Output format
of a Lambda function for proxy integration" (REST); Elastic Load Balancing, "Respond to the load balancer" of "Use
Lambda functions as targets"; AWS Lambda Developer Guide, "Lambda quotas".
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

# An answer ends at 6 MB. Base64 grows a body by a third, the JSON escapes of a text by up to six times: past this size
# a text could end beyond the limit.
_LARGEST_TEXT = 900_000


def shape(event: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return `answer` in the format that the source of `event` takes.

    `event` is the event as it came, which `proxy_event.prepare` did take. `answer` is what Mangum or serverless-wsgi
    made of the prepared event: `statusCode`, `headers` and `cookies` (or `multiValueHeaders`), `body`,
    `isBase64Encoded`. Names of headers come out in lower case. A large text comes out as base64.
    """
    shaped: dict[str, Any] = {"statusCode": answer["statusCode"], **_body(answer)}
    headers = _headers(answer)
    if event.get("version") == "2.0":
        cookies = headers.pop("set-cookie", None)
        shaped["headers"] = {name: ", ".join(values) for name, values in headers.items()}
        return shaped | ({"cookies": cookies} if cookies else {})
    if "elb" not in event["requestContext"]:
        return shaped | {"multiValueHeaders": headers}
    shaped["statusDescription"] = _description(answer["statusCode"])
    if isinstance(event.get("multiValueHeaders"), dict):
        return shaped | {"multiValueHeaders": headers}
    # Such a target group takes single values; the load balancer keeps names that differ in case apart.
    pairs = ((name, value, index) for name, values in headers.items() for index, value in enumerate(values))
    return shaped | {"headers": {_cased(name, index): value for name, value, index in pairs}}


def _headers(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in _pairs(answer):
        headers.setdefault(name.lower(), []).append(value)
    return headers


def _pairs(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (answer.get("headers") or {}).items()
    yield from (("set-cookie", cookie) for cookie in answer.get("cookies") or [])
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        yield from ((name, value) for value in values)


def _body(answer: Mapping[str, Any]) -> dict[str, Any]:
    body, is_base64 = answer.get("body") or "", bool(answer.get("isBase64Encoded"))
    if not is_base64 and len(body) > _LARGEST_TEXT:
        return {"body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True}
    return {"body": body, "isBase64Encoded": is_base64}


def _description(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _cased(name: str, index: int) -> str:
    """Return the spelling number `index` of `name`: each bit turns one character into upper case."""
    return "".join(character.upper() if index >> place & 1 else character for place, character in enumerate(name))
