"""Requests as the endpoints take them; bodies, parameters and media types.

Source: Elasticsearch 8.19 reference, "REST API compatibility": a client that accepts
`application/vnd.elasticsearch+json; compatible-with=8` gets that type back.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument
from emulator.http_server import Header, Request, Response

MAXIMUM_BODY_BYTES: Final = 100 * 1024 * 1024  # http.max_content_length
_VENDOR: Final = re.compile(r"application/vnd\.elasticsearch\+(json|x-ndjson)\s*;\s*compatible-with\s*=\s*(\d+)")
_JSON: Final = {"application/json", "application/vnd.elasticsearch+json"}
_LINES: Final = {"application/x-ndjson", "application/vnd.elasticsearch+x-ndjson"}
_GZIP: Final = zlib.MAX_WBITS | 16  # zlib's manual, "inflateInit2": a gzip header and trailer


@dataclass(frozen=True)
class Call:
    """A request. `names` are those that its route finds in the path: the index, the alias."""

    method: str
    raw_path: str
    """As it was sent; a name may hold an encoded slash."""
    query: Mapping[str, str]
    accept: str
    content_type: str
    body: bytes
    names: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> Call:
        """Return a request, its names still unknown. Raises ElasticsearchError for a body that is not decoded."""
        path, _, query = request.target.decode("latin-1").partition("?")
        return cls(
            request.method,
            path,
            dict(parse_qsl(query, keep_blank_values=True)),
            header(request, b"accept"),
            header(request, b"content-type"),
            _decoded(request),
            {},
        )

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    def named(self, names: Mapping[str, str]) -> Call:
        """Return the call with the names that its path has, decoded."""
        return replace(self, names={name: unquote(value) for name, value in names.items()})


def header(request: Request, name: bytes) -> str:
    """Return a header's value, "" without one."""
    return (request.header(name) or b"").decode(errors="surrogateescape")


def json_response(accept: str, body: Any, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Return `body` as JSON in the media type that the request accepts."""
    vendor = _VENDOR.search(accept)
    media_type = f"application/vnd.elasticsearch+json;compatible-with={vendor[2]}" if vendor else "application/json"
    content = json.dumps(body, separators=(",", ":")).encode()
    # The official clients take a response only with X-Elastic-Product.
    told = [*headers, ("Content-Type", media_type), ("X-Elastic-Product", "Elasticsearch")]
    encoded: list[Header] = [(name.encode(), value.encode()) for name, value in told]
    return Response(status, encoded, content)


def check_parameters(call: Call, known: Collection[str] = ()) -> None:
    """Raise ElasticsearchError for a parameter of the query that is not `known`."""
    for name in call.query:
        if name not in known:
            raise illegal_argument(f"request [{call.path}] contains unrecognized parameter: [{name}]")


def read_json(call: Call) -> Any:
    """Return the body, None when there is none. Raises ElasticsearchError for another type than JSON."""
    if not call.body.strip():
        return None
    _check_type(call, _JSON)
    return parse_json(call.body, line=1)


def read_lines(call: Call) -> list[Any]:
    """Return the lines of an NDJSON body. Raises ElasticsearchError for another type or a malformed one."""
    _check_type(call, _JSON | _LINES)
    if not call.body.endswith(b"\n"):
        raise illegal_argument("The bulk request must be terminated by a newline [\\n]")
    return [parse_json(line, line=number) for number, line in enumerate(call.body.split(b"\n")[:-1], 1) if line.strip()]


def parse_json(content: bytes, *, line: int) -> Any:
    """Return the value of a JSON text, which begins in this line of the body. Raises ElasticsearchError."""
    try:
        value = json.loads(content)
        # Half a surrogate pair, which only an escape can bring, is no text.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ElasticsearchError(400, "x_content_parse_exception", f"[{line}:1] not JSON: {error}") from None
    return value


def _check_type(call: Call, allowed: Collection[str]) -> None:
    if call.content_type.partition(";")[0].strip().lower() not in allowed:
        raise ElasticsearchError(
            406, "media_type_header_exception", f"Content-Type header [{call.content_type}] is not supported: send JSON"
        )


def _decoded(request: Request) -> bytes:
    """Return the body without its content coding: clients compress when they are told to."""
    coding = header(request, b"content-encoding").strip().lower()
    if coding in ("", "identity"):
        return request.body
    if coding != "gzip":
        raise illegal_argument(f"Content-Encoding [{coding}] is not supported: send gzip or none")
    try:
        decoder = zlib.decompressobj(_GZIP)
        body = decoder.decompress(request.body, MAXIMUM_BODY_BYTES)
    except zlib.error as error:
        raise illegal_argument(f"The body is not gzip: {error}") from None
    if decoder.unconsumed_tail:
        raise ElasticsearchError(413, "too_large", "the decoded body is too large")
    return body
