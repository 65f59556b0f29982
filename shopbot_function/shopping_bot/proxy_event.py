"""Events that carry an HTTP request, made ready for serverless-wsgi, and its answers made right for their source.

Sources: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (payload 1.0 and 2.0) and
"Input format of a Lambda function for proxy integration" (REST); Elastic Load Balancing, "Lambda functions as
targets".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

# Added to the event for the application: what of the client's path comes before the application's own.
ROOT_PATH = "shop.root_path"

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?")
_TRACE = re.compile(r"Root=([^;\s]{1,80})")


class UnsupportedEventError(ValueError):
    """The event is no HTTP request from API Gateway or a load balancer."""


def prepare(event: Any) -> dict[str, Any]:
    """Return a copy of `event` whose path is the application's own and whose odd parts cannot trip serverless-wsgi.

    Raises UnsupportedEventError.
    """
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(context, dict):
        raise _unsupported()
    is_v2 = event.get("version") == "2.0" and isinstance(context.get("http"), dict)
    if not is_v2 and not (isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str)):
        raise _unsupported()
    headers = _headers(event, context)
    prepared = {
        **event,
        # serverless-wsgi calls .get() on an authorizer, and there may be a null.
        "requestContext": {name: value for name, value in context.items() if name != "authorizer"},
        "headers": {name: ", ".join(values) for name, values in headers.items()},
        # Makes serverless-wsgi answer with lists, from which answer() makes what the source takes.
        "multiValueHeaders": headers or {"host": ["localhost"]},
        "body": _body(event),
        "isBase64Encoded": False,
    }
    prepared.pop("source", None)
    if isinstance(context.get("authorizer"), dict):
        prepared["requestContext"]["authorizer"] = context["authorizer"]
    return _prepare_v2(prepared, context) if is_v2 else _prepare_v1(prepared, context)


def answer(event: Mapping[str, Any], wsgi_answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what serverless-wsgi made of a prepared event in the format of the `event` as it came."""
    values: Mapping[str, list[str]] = wsgi_answer.get("multiValueHeaders") or {}
    shaped: dict[str, Any] = {
        "statusCode": wsgi_answer["statusCode"],
        "body": wsgi_answer.get("body", ""),
        "isBase64Encoded": wsgi_answer.get("isBase64Encoded", False),
    }
    if event.get("version") == "2.0":
        cookies = [cookie for name, each in values.items() if name.lower() == "set-cookie" for cookie in each]
        shaped["headers"] = {name: ", ".join(each) for name, each in values.items() if name.lower() != "set-cookie"}
        return {**shaped, "cookies": cookies} if cookies else shaped
    is_load_balancer = "elb" in event["requestContext"]
    if is_load_balancer:
        shaped["statusDescription"] = wsgi_answer["statusDescription"]
    if is_load_balancer and not isinstance(event.get("multiValueHeaders"), dict):
        # Such a target group takes single values only; a load balancer keeps names that differ in case apart.
        shaped["headers"] = {
            _cased(name, index): value for name, each in values.items() for index, value in enumerate(each)
        }
        return shaped
    return {**shaped, "multiValueHeaders": dict(values)}


def request_id(event: Mapping[str, Any], context: Any) -> str:
    """Return the id of the request: API Gateway's, the load balancer's trace, Lambda's, or "-"."""
    identifier = event.get("requestContext", {}).get("requestId")
    if not identifier:
        headers = event.get("headers") or {}
        trace = _TRACE.search(next((headers[name] for name in headers if name.lower() == "x-amzn-trace-id"), ""))
        identifier = trace[1] if trace else getattr(context, "aws_request_id", None)
    return str(identifier or "-")


def _prepare_v2(event: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    path = _text(event.get("rawPath")) or _text(context["http"].get("path")) or "/"
    inner, root = _split(path, context.get("stage"))
    given = event.get("cookies")
    cookies = [cookie for cookie in given if isinstance(cookie, str)] if isinstance(given, list) else []
    if not cookies:
        cookies = [value for name, value in event["headers"].items() if name.lower() == "cookie"]
    return {
        **event,
        "requestContext": {
            **event["requestContext"],
            "http": {"method": "GET", "sourceIp": "", **{k: v for k, v in context["http"].items() if v is not None}},
        },
        "rawPath": _for_adapter(inner, event, context),
        "rawQueryString": _text(event.get("rawQueryString")),
        "cookies": cookies,
        ROOT_PATH: root,
    }


def _prepare_v1(event: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    path = event["path"] or "/"
    inner, root = _split(path, context.get("stage"))
    # REST keeps the stage out of `path`, but it is in the path that the client sees.
    seen = context.get("path")
    if isinstance(seen, str) and (seen.endswith(inner) or inner == "/"):
        root = unquote(seen.removesuffix(inner).rstrip("/"))
    identity = context.get("identity")
    return {
        **event,
        "requestContext": {**event["requestContext"], "identity": identity if isinstance(identity, dict) else {}},
        "path": _for_adapter(inner, event, context),
        ROOT_PATH: root,
    }


def _split(path: str, stage: Any) -> tuple[str, str]:
    """Return the application's own part of `path`, and what comes before it."""
    if isinstance(stage, str) and stage not in {"", "$default"} and f"{path}/".startswith(f"/{stage}/"):
        return path.removeprefix(f"/{stage}") or "/", f"/{stage}"
    return path, ""


def _for_adapter(path: str, event: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    """Return `path` so that serverless-wsgi's percent-decoding gives what the client meant.

    HTTP APIs decode the path before the function sees it, in both payload versions; REST APIs, load balancers and
    function URLs do not. Decoding it again would turn "a%41" into "aA", and a decoded "?" would cut the path.
    """
    is_function_url = ".lambda-url." in str(context.get("domainName"))
    if "version" in event and not is_function_url:
        return quote(path, safe="/", errors="replace")
    return path.encode(errors="replace").decode()


def _headers(event: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    multiple, single = event.get("multiValueHeaders"), event.get("headers")
    given = multiple if isinstance(multiple, dict) and multiple else single if isinstance(single, dict) else {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        for each in values:
            usable = _usable(name.lower(), each, context)
            if usable is not None:
                headers.setdefault(name, []).append(usable)
    return headers


def _usable(name: str, value: Any, context: Mapping[str, Any]) -> str | None:
    if not isinstance(value, str) or "\r" in value or "\n" in value:
        return None
    if name == "host" and not _HOST.fullmatch(value):
        # An IPv6 address has several colons, at which the server's name is split.
        return str(context.get("domainName") or "localhost")
    if name == "x-forwarded-port" and not (value.isascii() and value.isdigit()):
        return None
    if name == "x-forwarded-proto" and value not in {"http", "https"}:
        return None
    return value


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise UnsupportedEventError("The body of the event is not a string.")
    if not event.get("isBase64Encoded"):
        # Half a surrogate pair survives as bytes that are not UTF-8, which the routes refuse.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body)
    except (binascii.Error, ValueError) as error:
        raise UnsupportedEventError("The body of the event is not base64, but isBase64Encoded says so.") from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _cased(name: str, index: int) -> str:
    return "".join(
        character.upper() if index >> place & 1 else character.lower() for place, character in enumerate(name)
    )


def _unsupported() -> UnsupportedEventError:
    return UnsupportedEventError(
        "This function answers HTTP requests: API Gateway (HTTP API, REST API) or Application Load Balancer events."
    )
