"""Write a fixture for a route: `make event ROUTE="GET /orders"`, with BODY='{"sku": "A"}' when it has a body.

The event is what AWS sends to the function behind the route, with identifiers of nobody. A path may be given as the
template declares it ("/orders/{id}") or as a caller sends it ("/orders/7?limit=2").

Sources: Amazon API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway"
(payload format 2.0) and "Input format of a Lambda function for proxy integration" (REST APIs).
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import secrets
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from sam_template import Route, Template, TemplateError
from sam_template.repository import REPOSITORY, TEMPLATE

EVENTS: Final = REPOSITORY / "events"
_DEFAULT: Final = "$default"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_PARAMETER: Final = re.compile(r"\{(\w+)(\+?)\}")
_ACCOUNT, _API, _CALLER = "111122223333", "a1b2c3d4e5", "203.0.113.12"
_AGENT: Final = "curl/8.15.0"


_NOBODY: Final = (
    *("cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "sourceIp", "principalOrgId", "accessKey"),
    *("cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "userAgent", "user"),
)
"""Who calls a REST API, as far as it knows."""


class RouteError(Exception):
    """A route for which no event can be made; the message is a sentence with the remedy."""


@dataclass(frozen=True)
class Request:
    """What a caller sends: `path` is decoded, `query` as it is sent."""

    method: str
    path: str
    query: str
    body: str | None


def folder_of(function: str) -> str:
    """Return the folder of a function's fixtures: "orders" for OrdersFunction, "big_orders" for BigOrders."""
    name = function.removesuffix("Function") or function
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def file_name(request: Request, route: Route) -> str:
    """Return a name for a fixture: "get_orders_id" for GET /orders/{id}."""
    path = request.path if route.path == _DEFAULT else route.path
    return "_".join([request.method.lower(), *re.findall(r"\w+", path)]) or request.method.lower()


def find_route(template: Template, text: str, body: str | None = None) -> tuple[Route, Request]:
    """Return the route that gets the request `text` ("GET /orders"), and the request. Raises RouteError."""
    method, _, target = text.strip().partition(" ")
    path, _, query = target.partition("?")
    if not method.isupper() or not path.startswith("/"):
        raise RouteError(f'{text!r} is no route: write a method and a path, for example ROUTE="GET /orders".')
    for route in sorted(template.routes, key=_rank):
        declared = "ANY" if route.path == _DEFAULT else route.method
        if declared in (method, "ANY") and (route.path in (path, _DEFAULT) or _pattern(route.path).fullmatch(path)):
            sent = unquote(_PARAMETER.sub(lambda match: f"example-{match[1]}", path))
            needs_body = body is None and method in _WITH_BODY
            return route, Request(method, sent, query, "{}" if needs_body else body)
    keys = sorted({_key(route) for route in template.routes})
    raise RouteError(f"{template.path.name} has no route for {text}; it has {', '.join(keys) or 'none'}.")


def event_for(template: Template, route: Route, request: Request) -> dict[str, Any]:
    """Return the event of the kind of API that the route belongs to."""
    return _rest_event(template, route, request) if is_rest(template, route) else _http_event(template, route, request)


def is_rest(template: Template, route: Route) -> bool:
    """Tell whether the route is of a REST API."""
    return any(
        route.path in template.evaluated(name).get("Body", {}).get("paths", {})
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
    )


def _http_event(template: Template, route: Route, request: Request) -> dict[str, Any]:
    now, domain = time.time(), f"{_API}.execute-api.{template.region}.amazonaws.com"
    parameters = _path_parameters(route, request)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": _key(route),
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": {"accept": "*/*", **_headers(request, domain)},
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "accountId": _ACCOUNT,
            "apiId": _API,
            "domainName": domain,
            "domainPrefix": _API,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": _CALLER,
                "userAgent": _AGENT,
            },
            "requestId": _short_id(),
            "routeKey": _key(route),
            "stage": "$default",
            "time": _clock(now),
            "timeEpoch": int(now * 1000),
        },
        **({"pathParameters": parameters} if parameters else {}),
        **({} if request.body is None else {"body": request.body}),
        "isBase64Encoded": False,
    }
    return event


def _rest_event(template: Template, route: Route, request: Request) -> dict[str, Any]:
    now, domain = time.time(), f"{_API}.execute-api.{template.region}.amazonaws.com"
    typed = {} if request.body is None else {"content-type": "application/json"}
    # API Gateway writes the names of its own headers so; the caller's come as they were sent.
    own = {name.title(): value for name, value in _headers(request, domain).items() if not name.startswith("content-")}
    headers = {"accept": "*/*", **typed, **own}
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    return {
        "resource": route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": _path_parameters(route, request) or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "x7k2q9",
            "resourcePath": route.path,
            "httpMethod": request.method,
            "extendedRequestId": _short_id(),
            "requestTime": _clock(now),
            "path": f"/prod{request.path}",
            "accountId": _ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": _API,
            "requestTimeEpoch": int(now * 1000),
            "requestId": str(uuid.uuid4()),
            "identity": {**dict.fromkeys(_NOBODY), "sourceIp": _CALLER, "userAgent": _AGENT},
            "domainName": domain,
            "deploymentId": "d3p1oy",
            "apiId": _API,
        },
        "body": request.body,
        "isBase64Encoded": False,
    }


def _short_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()[:15] + "="


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def _headers(request: Request, domain: str) -> dict[str, str]:
    typed = {} if request.body is None else {"content-type": "application/json"}
    return typed | {
        "content-length": str(len((request.body or "").encode())),
        "host": domain,
        "user-agent": _AGENT,
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}",
        "x-forwarded-for": _CALLER,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }


def _rank(route: Route) -> tuple[bool, bool, bool]:
    """Return what puts the more particular of two routes first."""
    return route.path == _DEFAULT, route.method == "ANY", "{" in route.path


def _key(route: Route) -> str:
    return _DEFAULT if route.path == _DEFAULT else f"{route.method} {route.path}"


def _pattern(path: str) -> re.Pattern[str]:
    """Return what a request's path must match for the route `path`; each parameter is a group of its name."""
    parts, end = [], 0
    for match in _PARAMETER.finditer(path):
        parts += [re.escape(path[end : match.start()]), f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})"]
        end = match.end()
    return re.compile("".join(parts) + re.escape(path[end:]))


def _path_parameters(route: Route, request: Request) -> Mapping[str, str]:
    match = _pattern(route.path).fullmatch(request.path)
    return match.groupdict() if match else {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the fixture that `arguments` ask for, say where it is; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.event", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("route", help='for example "GET /orders"')
    parser.add_argument("--body", help="what the request carries; {} when its method carries something")
    parsed = parser.parse_args(arguments)
    try:
        template = Template.load(TEMPLATE)
        route, request = find_route(template, parsed.route, parsed.body)
        folder = EVENTS / folder_of(route.function) / ("rest" if is_rest(template, route) else "")
        file = folder / f"{file_name(request, route)}.json"
        _write(file, event_for(template, route, request))
    except (RouteError, TemplateError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    place = file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file
    command = f"make invoke FUNCTION={route.function} EVENT={place}"
    sys.stdout.write(f"{place} is an event for {route.function}: `{command}`.\n")
    return 0


def _write(file: Path, event: Mapping[str, Any]) -> None:
    if file.exists():
        raise RouteError(f"{file} is there already: edit it, or copy it under a name that says what is special.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
