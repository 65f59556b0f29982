"""Lambda's HTTP events, whatever their source, as one format that Mangum and serverless-wsgi both take.

`prepare` turns an event of an HTTP API (payload 1.0 or 2.0), a REST API, a function URL or an Application Load Balancer
into payload 2.0, with nothing in it that could trip an adapter. `lambda_http.proxy_answer` turns the adapter's answer
into the format of the source.

Sources: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (payload 1.0 and 2.0) and
"Input format of a Lambda function for proxy integration" (REST); AWS Lambda Developer Guide, "Invoking Lambda function
URLs"; Elastic Load Balancing, "Use Lambda functions as targets".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus, urlencode

from lambda_http import base_path

ROOT_PATH = "lambda_http.root_path"
"""A member of the prepared event: what stands before the application's own path, such as "/prod"; "" for nothing.

It is ASGI's `root_path`, percent-decoded; WSGI's `SCRIPT_NAME` is `.encode().decode("latin-1")` of it (PEP 3333). To
put it into a URL again, quote it.
"""

_MAXIMUM_PORT = 65_535
_METHOD = re.compile(r"[A-Z]{1,20}")
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::([0-9]{1,5}))?")
_PORT = re.compile(r"[0-9]{1,5}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # token of RFC 9110 section 5.6.2
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{1,45}")
_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,128}")
_TRACE = re.compile(r"Root=([\x21-\x3a\x3c-\x7e]{1,80})")
_OWN_HOST = re.compile(r"\.(execute-api|lambda-url)\.[a-z0-9-]+\.")
# What may stand in a path and in a query as it is (RFC 3986 sections 3.3 and 3.4); "%" keeps what is encoded already.
_IN_PATH = "/:@!$&'()*+,;="
_IN_QUERY = _IN_PATH + "?%"


class UnsupportedEventError(ValueError):
    """The event is no HTTP request from API Gateway, a function URL or a load balancer; the message says why."""


class _Request(NamedTuple):
    """What the formats of events have in common; `template` is None when the event names no route."""

    method: Any
    path: Any
    template: str | None
    query: str
    headers: Mapping[str, list[Any]]
    source_ip: str
    is_path_decoded: bool


def prepare(event: Any, context: Any = None, *, routes: Iterable[str] = ()) -> dict[str, Any]:
    """Return the HTTP request in `event` as payload 2.0.

    It has these members and no others:

    * `rawPath`, and the same in `requestContext.http.path`: the application's own path, percent-encoded.
    * `rawQueryString`, percent-encoded; `headers` with lower-case names, `host` among them; `cookies`, a list.
    * `body` as bytes; `isBase64Encoded`, false.
    * `requestContext.requestId`: API Gateway's id, else the load balancer's trace, else Lambda's id, else "-".
    * `requestContext.http`: `method`, `sourceIp` ("" when nobody knows it), `protocol`.
    * `requestContext.domainName` and `stage`, "" where the source has none.
    * `version`, `routeKey` ("$default") and `ROOT_PATH`.

    `context` is Lambda's. `routes` are the application's own path templates, see `base_path.split`. What a client sends
    and no server can take, such as a port of 4 000 digits, is left out. Raises UnsupportedEventError for what is no
    HTTP request, whatever is in it, and no other exception.
    """
    given = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(given, dict):
        raise _unsupported()
    domain, stage = _text(given.get("domainName"), _HOST), _text(given.get("stage"), _IDENTIFIER)
    request = _read(event, given, domain)
    if not isinstance(request.method, str) or not _METHOD.fullmatch(request.method):
        raise UnsupportedEventError("The event has no HTTP method.")
    path = "/" if request.path == "" else request.path
    if not isinstance(path, str) or not path.startswith("/"):
        raise UnsupportedEventError("The event has no path that begins with a slash.")
    own, before = base_path.split(
        path,
        template=request.template,
        greedy_value=_greedy_value(event, request.template),
        stage=stage,
        is_own_host=_OWN_HOST.search(domain) is not None,
        routes=routes,
    )
    seen = _text(given.get("path"))
    if seen and (seen.endswith(own) or own == "/"):
        # REST keeps the stage out of `path`, but it is in the path that the client sees.
        before = seen.removesuffix(own).rstrip("/")
    raw_path = quote(own, safe=_IN_PATH if request.is_path_decoded else _IN_PATH + "%", errors="replace")
    body = _body(event)
    headers = _headers(request.headers, domain, len(body))
    cookie_header = headers.pop("cookie", "")
    cookies = list(filter(None, map(_header_value, _members(event, "cookies", list))))
    http = {"method": request.method, "path": raw_path, "sourceIp": request.source_ip, "protocol": "HTTP/1.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": request.query,
        "headers": headers,
        "cookies": cookies or ([cookie_header] if cookie_header else []),
        "requestContext": {
            "http": http,
            "requestId": _request_id(given, headers, context),
            "domainName": domain,
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": False,
        ROOT_PATH: unquote(before.encode(errors="replace").decode()),
    }


def _read(event: Mapping[str, Any], context: Mapping[str, Any], domain: str) -> _Request:
    http = context.get("http")
    if event.get("version") == "2.0" and isinstance(http, dict):
        template = _text(event.get("routeKey")).partition(" ")[2]
        raw_path = event.get("rawPath")
        return _Request(
            method=http.get("method"),
            path=http.get("path") if raw_path is None else raw_path,
            template=template if template.startswith("/") else None,
            query=quote(_member(event, "rawQueryString", str, ""), safe=_IN_QUERY, errors="replace"),
            headers=_values(event),
            source_ip=_text(http.get("sourceIp"), _ADDRESS),
            # Function URLs use the same payload and do not decode the path.
            is_path_decoded=".lambda-url." not in domain,
        )
    if "httpMethod" not in event or "path" not in event:
        raise _unsupported()
    is_load_balancer = isinstance(context.get("elb"), dict)
    headers = _values(event)
    resource = _text(event.get("resource"))
    identity = context.get("identity")
    forwarded = [value for value in headers.get("x-forwarded-for", []) if isinstance(value, str)]
    # A load balancer appends the address that it saw to what the client claims.
    seen = forwarded[-1].rpartition(",")[2].strip() if forwarded else ""
    known = identity.get("sourceIp") if isinstance(identity, dict) else ""
    return _Request(
        method=event["httpMethod"],
        path=event["path"],
        template=resource if resource.startswith("/") else None,
        query=_query(event, is_encoded=is_load_balancer),
        headers=headers,
        source_ip=_text(seen if is_load_balancer else known, _ADDRESS),
        # Of these, HTTP APIs alone name a version, and decode the path.
        is_path_decoded="version" in event,
    )


def _greedy_value(event: Mapping[str, Any], template: str | None) -> str | None:
    parameters = event.get("pathParameters")
    if template is None or not template.endswith("+}") or not isinstance(parameters, dict):
        return None
    value = parameters.get(template.rpartition("{")[2].removesuffix("+}"))
    return value if isinstance(value, str) else None


def _values(event: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each header, by lower-case names; `multiValueHeaders` repeats what is in `headers`."""
    values: dict[str, list[Any]] = {}
    for name, value in _members(event, "headers", dict).items():
        values.setdefault(str(name).lower(), []).append(value)
    multiple: dict[str, list[Any]] = {}
    for name, each in _members(event, "multiValueHeaders", dict).items():
        multiple.setdefault(str(name).lower(), []).extend(each if isinstance(each, list) else [each])
    return values | multiple


def _headers(given: Mapping[str, list[Any]], domain: str, length: int) -> dict[str, str]:
    headers = {}
    for name, values in given.items():
        usable = [value for value in map(_header_value, values) if value is not None]
        if usable and _HEADER_NAME.fullmatch(name):
            headers[name] = ("; " if name == "cookie" else ", ").join(usable)
    if not _is_host(headers.get("host", "")):
        # An IPv6 address has several colons, at which adapters split the host from its port.
        headers["host"] = domain if _is_host(domain) else "localhost"
    if not _is_port(headers.get("x-forwarded-port", "")):
        headers.pop("x-forwarded-port", None)
    if headers.get("x-forwarded-proto") not in {"http", "https"}:
        headers.pop("x-forwarded-proto", None)
    # The body is all here, however it was sent.
    headers.pop("transfer-encoding", None)
    if length or "content-length" in headers:
        headers["content-length"] = str(length)
    return headers


def _header_value(value: Any) -> str | None:
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        return None
    return value.encode(errors="replace").decode()


def _is_host(host: str) -> bool:
    match = _HOST.fullmatch(host)
    return match is not None and (match[1] is None or _is_port(match[1]))


def _is_port(port: str) -> bool:
    return _PORT.fullmatch(port) is not None and int(port) <= _MAXIMUM_PORT


def _query(event: Mapping[str, Any], *, is_encoded: bool) -> str:
    """Return the query string; a load balancer gives its parts as they came, API Gateway decodes them."""
    decode = unquote_plus if is_encoded else str
    multiple = _members(event, "multiValueQueryStringParameters", dict)
    single = _members(event, "queryStringParameters", dict)
    return urlencode(
        [
            (decode(str(name)), decode(value))
            for name, values in (multiple or single).items()
            for value in (values if isinstance(values, list) else [values])
            if isinstance(value, str)
        ],
        errors="replace",
    )


def _body(event: Mapping[str, Any]) -> bytes:
    body: str = _member(event, "body", str, "")
    if event.get("isBase64Encoded") is not True:
        # Half a surrogate pair becomes bytes that are not UTF-8, which a reader of JSON refuses.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body)
    except ValueError as error:
        raise UnsupportedEventError("The body of the event is not base64, but isBase64Encoded says so.") from error


def _request_id(given: Mapping[str, Any], headers: Mapping[str, str], context: Any) -> str:
    trace = _TRACE.search(headers.get("x-amzn-trace-id", ""))
    candidates = (given.get("requestId"), trace[1] if trace else None, getattr(context, "aws_request_id", None))
    return next((each for each in candidates if isinstance(each, str) and _IDENTIFIER.fullmatch(each)), "-")


def _members(event: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    return _member(event, name, kind, kind())


def _member(event: Mapping[str, Any], name: str, kind: type[Any], default: Any) -> Any:
    value = event.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise UnsupportedEventError(f"{name} of the event is of the wrong type.")
    return value


def _text(value: Any, pattern: re.Pattern[str] | None = None) -> str:
    return value if isinstance(value, str) and (pattern is None or pattern.fullmatch(value)) else ""


def _unsupported() -> UnsupportedEventError:
    return UnsupportedEventError(
        "This function answers HTTP requests: API Gateway (HTTP API, REST API), function URL or Application Load "
        "Balancer events."
    )
