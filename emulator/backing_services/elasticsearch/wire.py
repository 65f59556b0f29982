"""Bodies, parameters and media types of requests and responses.

Source: Elasticsearch 8.19 reference, "REST API compatibility": a client that accepts
`application/vnd.elasticsearch+json; compatible-with=8` gets that type back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument

_VENDOR: Final = re.compile(r"application/vnd\.elasticsearch\+(json|x-ndjson)\s*;\s*compatible-with\s*=\s*(\d+)")
_JSON: Final = {"application/json", "application/vnd.elasticsearch+json"}
_LINES: Final = {"application/x-ndjson", "application/vnd.elasticsearch+x-ndjson"}


def json_response(
    request: web.Request, body: Any, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()
) -> web.Response:
    """Return `body` as JSON in the media type that the request accepts."""
    vendor = _VENDOR.search(request.headers.get("Accept", ""))
    media_type = f"application/vnd.elasticsearch+json;compatible-with={vendor[2]}" if vendor else "application/json"
    content = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=content, status=status, headers=CIMultiDict([*headers, ("Content-Type", media_type)]))


def check_parameters(request: web.Request, known: Collection[str] = ()) -> None:
    """Raise ElasticsearchError for a parameter of the query that is not `known`."""
    for name in request.query:
        if name not in known:
            raise illegal_argument(f"request [{request.path}] contains unrecognized parameter: [{name}]")


async def read_json(request: web.Request) -> Any:
    """Return the body, None when there is none. Raises ElasticsearchError for another type than JSON."""
    content = await request.read()
    if not content.strip():
        return None
    _check_type(request, _JSON)
    return parse_json(content, line=1)


async def read_lines(request: web.Request) -> list[Any]:
    """Return the lines of an NDJSON body. Raises ElasticsearchError for another type or a malformed one."""
    _check_type(request, _JSON | _LINES)
    content = await request.read()
    if not content.endswith(b"\n"):
        raise illegal_argument("The bulk request must be terminated by a newline [\\n]")
    return [parse_json(line, line=number) for number, line in enumerate(content.split(b"\n")[:-1], 1) if line.strip()]


def parse_json(content: bytes, *, line: int) -> Any:
    """Return the value of a JSON text, which begins in this line of the body. Raises ElasticsearchError."""
    try:
        value = json.loads(content)
        # Half a surrogate pair, which only an escape can bring, is no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ElasticsearchError(400, "x_content_parse_exception", f"[{line}:1] not JSON: {error}") from None
    return value


def _check_type(request: web.Request, allowed: Collection[str]) -> None:
    if request.content_type not in allowed or "Content-Type" not in request.headers:
        given = request.headers.get("Content-Type", "")
        raise ElasticsearchError(
            406, "media_type_header_exception", f"Content-Type header [{given}] is not supported: send JSON"
        )
