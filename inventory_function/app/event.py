"""Events that carry an HTTP request, made ready for Mangum.

Sources: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (payload 1.0 and 2.0) and
"Input format of a Lambda function for proxy integration" (REST); Elastic Load Balancing, "Lambda functions as
targets".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

# Added to the event for the application: what of the client's path comes before the application's own.
ROOT_PATH = "shop.root_path"

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_TRACE = re.compile(r"Root=([^;\s]{1,80})")


class UnsupportedEventError(ValueError):
    """The event is no HTTP request from API Gateway or a load balancer."""


def prepare(event: Any) -> dict[str, Any]:
    """Return a copy of `event` whose path is the application's own and whose odd parts cannot trip Mangum.

    Raises UnsupportedEventError.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(context, dict):
        raise _unsupported()
    if event.get("version") == "2.0" and isinstance(context.get("http"), dict):
        return _prepare_v2(event, context)
    if isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str):
        return _prepare_v1(event, context)
    raise _unsupported()


def request_id(event: Mapping[str, Any], context: Any) -> str:
    """Return the id of the request: API Gateway's, the load balancer's trace, Lambda's, or "-"."""
    identifier = event.get("requestContext", {}).get("requestId")
    if not identifier:
        trace = _TRACE.search(_header(event, "x-amzn-trace-id"))
        identifier = trace[1] if trace else getattr(context, "aws_request_id", None)
    return str(identifier or "-")


def _prepare_v2(event: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    path = event.get("rawPath") or context["http"].get("path") or "/"
    inner = _inner_path(path, _template(event.get("routeKey")), context.get("stage"))
    http = {"method": "GET", "sourceIp": "", **context["http"], "path": _for_mangum(inner, event, context)}
    return {
        **event,
        "requestContext": {**context, "http": http},
        "headers": _headers(event.get("headers"), context),
        "rawQueryString": event.get("rawQueryString") or "",
        **_body(event),
        ROOT_PATH: unquote(path.removesuffix(inner)),
    }


def _prepare_v1(event: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    path = event["path"] or "/"
    template = event.get("resource") if isinstance(event.get("resource"), str) else None
    inner = _inner_path(path, template, context.get("stage"))
    # REST keeps the stage out of `path`, but it is in the path that the client sees.
    seen = context.get("path")
    full = seen if isinstance(seen, str) and (seen.endswith(inner) or inner == "/") else path
    prepared = {
        "resource": path,
        **event,
        "path": _for_mangum(inner, event, context),
        "headers": _headers(event.get("headers"), context),
        **_body(event),
        ROOT_PATH: unquote(full.removesuffix(inner)),
    }
    if isinstance(event.get("multiValueHeaders"), dict):
        prepared["multiValueHeaders"] = _multi_value_headers(event["multiValueHeaders"], context)
    else:
        # Mangum takes the key for a promise of lists.
        prepared.pop("multiValueHeaders", None)
    if prepared.get("multiValueQueryStringParameters") is None:
        prepared.pop("multiValueQueryStringParameters", None)
    return prepared


def _inner_path(path: str, template: str | None, stage: Any) -> str:
    """Return the part of `path` that the route's `template` describes, else the part behind the stage."""
    segments = path.split("/")[1:]
    if template is not None and "+}" not in template:
        wanted = [segment for segment in template.split("/") if segment]
        tail = segments[len(segments) - len(wanted) :] if wanted else []
        if len(tail) == len(wanted) and all(map(_fits, tail, wanted)):
            return "/" + "/".join(tail)
    if isinstance(stage, str) and stage and stage != "$default" and segments[0] == stage:
        return "/" + "/".join(segments[1:])
    return path


def _fits(segment: str, wanted: str) -> bool:
    return segment == wanted or (wanted.startswith("{") and segment != "")


def _template(route_key: Any) -> str | None:
    # "GET /inventory/{sku}", or "$default"
    _, separator, template = route_key.partition(" ") if isinstance(route_key, str) else ("", "", "")
    return template if separator else None


def _for_mangum(path: str, event: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """Return `path` so that Mangum's percent-decoding gives what the client meant.

    HTTP APIs decode the path before the function sees it, in both payload versions; REST APIs, load balancers and
    function URLs do not. Decoding it again would turn the name "a%41" into "aA".
    """
    is_function_url = ".lambda-url." in str(context.get("domainName"))
    return path.replace("%", "%25") if "version" in event and not is_function_url else path


def _body(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise UnsupportedEventError("The body of the event is not a string.")
    if not event.get("isBase64Encoded"):
        # Half a surrogate pair survives as bytes that are not UTF-8, which the routes refuse.
        return {"body": body.encode(errors="surrogatepass"), "isBase64Encoded": False}
    try:
        return {"body": base64.b64decode(body), "isBase64Encoded": False}
    except (binascii.Error, ValueError) as error:
        raise UnsupportedEventError("The body of the event is not base64, but isBase64Encoded says so.") from error


def _headers(headers: Any, context: Mapping[str, Any]) -> dict[str, str]:
    given = headers if isinstance(headers, dict) else {}
    values = ((name, value) for name, value in given.items() if isinstance(value, str))
    return dict(_usable(values, context))


def _multi_value_headers(headers: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, list[str]]:
    usable: dict[str, list[str]] = {}
    for name, values in headers.items():
        strings = [(name, value) for value in values or [] if isinstance(value, str)]
        for kept, value in _usable(strings, context):
            usable.setdefault(kept, []).append(value)
    return usable


def _usable(headers: Iterable[tuple[str, str]], context: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        lower = name.lower()
        if lower == "host" and not _HOST.fullmatch(value):
            # Mangum splits at the colon, of which an IPv6 address has several.
            yield name, str(context.get("domainName") or "localhost")
        elif lower == "x-forwarded-port" and not (value.isascii() and value.isdigit()):
            continue
        else:
            yield name, value


def _header(event: Mapping[str, Any], wanted: str) -> str:
    for name, value in (event.get("headers") or {}).items():
        if name.lower() == wanted:
            return str(value)
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if name.lower() == wanted and values:
            return str(values[0])
    return ""


def _unsupported() -> UnsupportedEventError:
    return UnsupportedEventError(
        "This function answers HTTP requests: API Gateway (HTTP API, REST API) or Application Load Balancer events."
    )
