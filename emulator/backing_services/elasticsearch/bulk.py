"""Many writes in one request, each with a result of its own.

Source: Elasticsearch 8.19 reference, "Bulk API".
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument
from emulator.backing_services.elasticsearch.index import Index, Written
from emulator.backing_services.elasticsearch.indices import Indices
from emulator.backing_services.elasticsearch.wire import parse_json

_ACTIONS: Final = {"index", "create", "update", "delete"}
_METADATA: Final = {"_index", "_id", "require_alias"}


def bulk(indices: Indices, default_index: str | None, content: bytes, *, refresh: bool) -> dict[str, Any]:
    """Do every action of an NDJSON body and return the answer.

    Raises ElasticsearchError when the body itself is malformed; then nothing was done.
    """
    started = time.perf_counter()
    written: dict[str, Index] = {}
    items = [_item(indices, kind, where, source, written) for kind, where, source in _parsed(content, default_index)]
    if refresh:
        for index in written.values():
            index.refresh()
    errors = any("error" in result for item in items for result in item.values())
    return {"took": round((time.perf_counter() - started) * 1000), "errors": errors, "items": items}


def written_body(index: Index, written: Written) -> dict[str, Any]:
    """Return what the API says of one write."""
    return {
        "_index": index.name,
        "_id": written.identifier,
        "_version": written.version,
        "result": written.result,
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "_seq_no": written.sequence_number,
        "_primary_term": 1,
    }


def written_status(written: Written) -> int:
    """Return the HTTP status of one write."""
    return {"created": 201, "not_found": 404}.get(written.result, 200)


def _parsed(content: bytes, default_index: str | None) -> list[tuple[str, dict[str, Any], Any]]:
    if not content.strip():
        raise ElasticsearchError(400, "parse_exception", "request body is required")
    if not content.endswith(b"\n"):
        raise illegal_argument("The bulk request must be terminated by a newline [\\n]")
    lines = enumerate(content.split(b"\n")[:-1], 1)
    return [_action(number, line, lines, default_index) for number, line in lines if line.strip()]


def _action(
    number: int, line: bytes, lines: Iterator[tuple[int, bytes]], default_index: str | None
) -> tuple[str, dict[str, Any], Any]:
    header = parse_json(line, line=number)
    kind, where = next(iter(header.items())) if isinstance(header, dict) and len(header) == 1 else ("", None)
    if kind not in _ACTIONS or not isinstance(where, dict):
        raise illegal_argument(
            f"Malformed action/metadata line [{number}], expected one of [create, delete, index, update] but found "
            f"[{kind}]"
        )
    for name in where:
        if name not in _METADATA:
            raise illegal_argument(f"Action/metadata line [{number}] contains an unknown parameter [{name}]")
    if "_index" not in where and default_index is None:
        raise ElasticsearchError(400, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
    where = {"_index": default_index, "_id": None} | where
    if kind == "delete":
        return kind, where, None
    following = next(lines, None)
    if following is None:
        raise illegal_argument(f"The bulk request has no source line after the action of line [{number}]")
    return kind, where, parse_json(following[1], line=following[0])


def _item(indices: Indices, kind: str, where: dict[str, Any], source: Any, written: dict[str, Index]) -> dict[str, Any]:
    try:
        index = indices.writable(str(where["_index"]))
        done = _write(index, kind, where["_id"], source)
    except ElasticsearchError as error:
        failed = {"_index": where["_index"], "_id": where["_id"], "status": error.status, "error": error.cause()}
        return {kind: failed}
    written[index.name] = index
    return {kind: written_body(index, done) | {"status": written_status(done)}}


def _write(index: Index, kind: str, identifier: Any, source: Any) -> Written:
    if identifier is None and kind in {"update", "delete"}:
        raise ElasticsearchError(400, "action_request_validation_exception", "Validation Failed: 1: id is missing;")
    name = None if identifier is None else str(identifier)
    if kind == "delete":
        return index.delete(str(name))
    if kind == "update":
        return index.update(str(name), source)
    return index.put(name, source, only_create=kind == "create")
