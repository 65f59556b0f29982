"""What a function's answer to a proxy event becomes over HTTP.

Sources: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", "Lambda
function response format"; "Set up Lambda proxy integrations in API Gateway", "Output format of a Lambda function for
proxy integration"; "Quotas" (the size of all header values).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.http_server import Header, Response

HEADER_LIMIT_BYTES = 10_240
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_THE_FUNCTIONS = frozenset((b"connection", b"content-length", b"keep-alive", b"transfer-encoding", b"upgrade"))
_REMAPPED = frozenset((b"date", b"server", b"www-authenticate"))
"""REST APIs give these to the client under x-amzn-remapped- names ("Important notes", "REST APIs")."""


class MalformedAnswerError(Exception):
    """The function's answer is none that API Gateway can use; the message says why."""


def answer_2_0(payload: bytes) -> Response:
    """Return the answer for payload format 2.0, in which a function may return just its body."""
    answer = _loaded(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        whole = answer.encode("utf-8", "replace") if isinstance(answer, str) else payload
        return Response(200, ((b"content-type", b"application/json"),), whole)
    headers = _headers(answer.get("headers"))
    cookies = answer.get("cookies") or ()
    if not isinstance(cookies, (list, tuple)):
        raise MalformedAnswerError("cookies is not a list")
    headers += [_header("set-cookie", cookie) for cookie in cookies if cookie is not None]
    body = _body(answer, decode=_is_encoded(answer))
    if not any(name == b"content-type" for name, _ in headers) and body:
        headers.append((b"content-type", b"text/plain;charset=UTF-8"))
    return Response(_status(answer["statusCode"]), _within_limit(headers), body)


def answer_1_0(payload: bytes, *, decodes: bool = True) -> Response:
    """Return the answer for payload format 1.0: an object with statusCode, and headers in two forms.

    `decodes` is false where a base64 body goes to the client as it is, because the API knows no such binary type.
    """
    answer = _loaded(payload)
    if not isinstance(answer, dict):
        raise MalformedAnswerError("the answer is not an object")
    if "statusCode" not in answer:
        raise MalformedAnswerError("the answer has no statusCode")
    headers = _headers(answer.get("headers"))
    many = answer.get("multiValueHeaders") or {}
    if not isinstance(many, dict):
        raise MalformedAnswerError("multiValueHeaders is not an object")
    for name, values in many.items():
        if not isinstance(values, list):
            raise MalformedAnswerError(f"multiValueHeaders.{name} is not a list")
        # A header that is in both keeps the values of multiValueHeaders, and gets what only `headers` has.
        lower = str(name).lower().encode("latin-1", "replace")
        if lower in _NOT_THE_FUNCTIONS:
            continue
        listed = [_header(name, value) for value in values if value is not None]
        headers = [each for each in headers if each[0] != lower or each not in listed] + listed
    decode = _is_encoded(answer) and decodes
    return Response(_status(answer["statusCode"]), _within_limit(headers), _body(answer, decode=decode))


def remapped(headers: list[Header]) -> list[Header]:
    """Return the headers as a REST API gives them to the client."""
    return [(b"x-amzn-remapped-" + name if name in _REMAPPED else name, value) for name, value in headers]


def _loaded(payload: bytes) -> Any:
    try:
        # From text: of bytes json would find out the encoding first.
        return json.loads(payload.decode("utf-8", "surrogatepass"), parse_constant=_refuse)
    except ValueError as error:
        raise MalformedAnswerError("the answer is not JSON") from error


def _refuse(constant: str) -> Any:
    raise MalformedAnswerError(f"the answer holds {constant}, which is not JSON")


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedAnswerError("statusCode is not an integer")
    try:
        status = int(value)
    except ValueError as error:
        raise MalformedAnswerError("statusCode is not an integer") from error
    if not 200 <= status <= 599:
        raise MalformedAnswerError(f"statusCode is {status}")
    return status


def _is_encoded(answer: Mapping[str, Any]) -> bool:
    encoded = answer.get("isBase64Encoded", False)
    if not isinstance(encoded, bool | None):
        raise MalformedAnswerError("isBase64Encoded is not a boolean")
    return bool(encoded)


def _body(answer: Mapping[str, Any], *, decode: bool) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswerError("body is not a string")
    if not decode:
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswerError("body is not base64") from error


def _headers(declared: Any) -> list[Header]:
    if declared is None:
        return []
    if not isinstance(declared, dict):
        raise MalformedAnswerError("headers is not an object")
    found = [_header(name, value) for name, value in declared.items() if value is not None]
    return [header for header in found if header[0] not in _NOT_THE_FUNCTIONS]


def _header(name: Any, value: Any) -> Header:
    if isinstance(value, (dict, list)):
        raise MalformedAnswerError(f"the header {name} is not a string")
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    key, encoded = str(name).lower().encode("utf-8", "replace"), text.encode("utf-8", "replace")
    if not _TOKEN.fullmatch(key) or any(byte in encoded for byte in b"\r\n\0"):
        raise MalformedAnswerError(f"the header {name} cannot be sent")
    return key, encoded


def _within_limit(headers: list[Header]) -> list[Header]:
    if sum(len(value) for _, value in headers) > HEADER_LIMIT_BYTES:
        raise MalformedAnswerError(f"the header values are over {HEADER_LIMIT_BYTES} bytes")
    return headers
