"""The errors that a proxy answers with, each in its backing service's own form.

Source: Claude API errors ("Error shapes"); Elasticsearch REST API ("Error responses"); AWS JSON 1.0 protocol and
Amazon S3 error responses; Redis serialization protocol ("Simple errors").
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any, Final

from emulator.backing_services.anthropic.errors import ApiError

ANTHROPIC: Final = "anthropic"
ELASTICSEARCH: Final = "elasticsearch"
AWS: Final = "aws"
DEFAULT_STATUS: Final = {ANTHROPIC: 529}
RETRY_AFTER_SECONDS: Final = 1
REQUEST_ID: Final = "req_01FaultOfTheEmulator"
_SENTENCE: Final = "The emulator was told to answer with this error."
_AWS_JSON: Final = {
    400: "ThrottlingException",
    403: "AccessDeniedException",
    429: "ThrottlingException",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
_S3: Final = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}
_ELASTICSEARCH: Final = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    429: "es_rejected_execution_exception",
    503: "cluster_block_exception",
}
_REDIS: Final = {
    "ERR": "The emulator was told to answer with this error.",
    "LOADING": "Redis is loading the dataset in memory",
    "READONLY": "You can't write against a read only replica.",
    "OOM": "command not allowed when used memory > 'maxmemory'.",
    "BUSY": "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "MASTERDOWN": "Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "NOAUTH": "Authentication required.",
}


def http_error(name: str, status: int, head: bytes) -> bytes:
    """Return the answer of the backing service `name` with `status` to the request that `head` begins. It closes."""
    content_type, body, headers = _http_parts(name, status, head)
    if status in (429, 503):
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    headers |= {"content-type": content_type, "content-length": str(len(body)), "connection": "close"}
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Overloaded" if status == 529 else "Unknown"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{key}: {value}" for key, value in headers.items())]
    is_head = head.startswith(b"HEAD ")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if is_head else body)


def redis_error(word: str) -> bytes:
    """Return the error line that begins with `word`."""
    word = word.upper() or "ERR"
    return f"-{word} {_REDIS.get(word, _SENTENCE)}\r\n".encode()


def _http_parts(name: str, status: int, head: bytes) -> tuple[str, bytes, dict[str, str]]:
    if name == ANTHROPIC:
        return "application/json", _dump(ApiError(status).body(REQUEST_ID)), {"request-id": REQUEST_ID}
    if name == ELASTICSEARCH:
        cause = {"type": _ELASTICSEARCH.get(status, "exception"), "reason": _SENTENCE}
        body = _dump({"error": {"root_cause": [cause], **cause}, "status": status})
        return "application/json", body, {"X-Elastic-Product": "Elasticsearch"}
    if name == AWS and not re.search(rb"(?im)^(?:x-amz-target:|content-type:\s*application/x-amz-json)", head):
        code = _S3.get(status, "ServiceUnavailable")
        xml = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{_SENTENCE}</Message></Error>'
        return "application/xml", xml.encode(), {"x-amz-request-id": REQUEST_ID}
    if name == AWS:
        kind = _AWS_JSON.get(status, "InternalServerError")
        return (
            "application/x-amz-json-1.0",
            _dump({"__type": kind, "message": _SENTENCE}),
            {"x-amzn-requestid": REQUEST_ID},
        )
    return "application/json", _dump({"error": _SENTENCE}), {}


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()
