"""Bodies, parameters and media types of requests and answers.

Source: Elasticsearch 8.19 reference, "REST API compatibility": a client that accepts
`application/vnd.elasticsearch+json; compatible-with=8` gets that type back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument

_VENDOR: Final = re.compile(r"application/vnd\.elasticsearch\+(json|x-ndjson)\s*;\s*compatible-with\s*=\s*(\d+)")
_JSON_TYPES: Final = {"application/json", "application/vnd.elasticsearch+json"}
_LINES_TYPES: Final = {"application/x-ndjson", "application/vnd.elasticsearch+x-ndjson"}
# What every endpoint takes. The official clients send none of them unless asked to.
_COMMON: Final = {"pretty", "human", "error_trace"}


def answer_json(
    request: web.Request, body: Any, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> web.Response:
    """Return `body` as JSON in the media type that the request accepts."""
    vendor = _VENDOR.search(request.headers.get("Accept", ""))
    media_type = f"application/vnd.elasticsearch+json;compatible-with={vendor[2]}" if vendor else "application/json"
    content = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=content, status=status, headers=CIMultiDict([*headers, ("Content-Type", media_type)]))


def plain_error(
    request: web.Request, status: int, reason: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a refusal that has no type, as Elasticsearch gives before a request has reached a handler."""
    return answer_json(request, {"error": reason, "status": status}, status=status, headers=(headers or {}).items())


def check_parameters(request: web.Request, known: Collection[str] = ()) -> Mapping[str, str]:
    """Return the query's parameters. Raises ElasticsearchError for one that is not `known`."""
    for name in request.query:
        if name not in known and name not in _COMMON:
            raise illegal_argument(f"request [{request.path}] contains unrecognized parameter: [{name}]")
    return request.query


def flag(parameters: Mapping[str, str], name: str) -> bool:
    """Tell whether a parameter such as `refresh` is on: present without a value, `true`, or `wait_for`."""
    return parameters.get(name, "false") in {"", "true", "wait_for"}


async def read_json(request: web.Request) -> Any:
    """Return the body, None when there is none. Raises ElasticsearchError for another type than JSON."""
    content = await request.read()
    if not content.strip():
        return None
    _check_type(request, _JSON_TYPES)
    return parse_json(content, line=1)


def parse_json(content: bytes, *, line: int) -> Any:
    """Return the value of a JSON text, which begins in this line of the body. Raises ElasticsearchError."""
    try:
        value = json.loads(content)
        # Half a surrogate pair, which only an escape can bring, is no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ElasticsearchError(400, "x_content_parse_exception", f"[{line}:1] not JSON: {error}") from None
    return value


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the body, which must be a JSON object. Raises ElasticsearchError."""
    body = await read_json(request)
    if not isinstance(body, dict):
        reason = "request body is required" if body is None else "request body must be a JSON object"
        raise ElasticsearchError(400, "parse_exception", reason)
    return body


async def read_lines(request: web.Request) -> bytes:
    """Return the NDJSON body. Raises ElasticsearchError for another type."""
    _check_type(request, _JSON_TYPES | _LINES_TYPES)
    return await request.read()


def _check_type(request: web.Request, allowed: Collection[str]) -> None:
    if request.content_type not in allowed or "Content-Type" not in request.headers:
        given = request.headers.get("Content-Type", "")
        raise ElasticsearchError(
            406, "media_type_header_exception", f"Content-Type header [{given}] is not supported: send JSON"
        )
