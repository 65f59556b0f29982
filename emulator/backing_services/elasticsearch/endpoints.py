"""What each route does: the part of the REST API that exists here.

Source: Elasticsearch 8.19 reference, "REST APIs": cat, index, alias, bulk, count and search APIs.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument
from emulator.backing_services.elasticsearch.index import Index, Indices
from emulator.backing_services.elasticsearch.search import SHARDS, count, search
from emulator.backing_services.elasticsearch.wire import Call, check_parameters, json_response, read_json, read_lines
from emulator.http_server import Response

VERSION: Final = "8.19.3"
_PREPARED_AFTER_SECONDS: Final = 1.0
"""Whoever fills an index has more to do at once than to search it."""
_INDEX: Final = "/(?P<index>[^_/][^/]*)"


class Endpoints:
    """The handlers over one set of indices."""

    def __init__(self, indices: Indices) -> None:
        self._indices = indices
        self._uuid = secrets.token_urlsafe(16)
        self._routes: tuple[tuple[Sequence[str], str, Callable[[Call], Response]], ...] = (
            (["GET"], "/", self._root),
            (["GET"], "/_alias/(?P<alias>[^/]+)", self._get_alias),
            (["GET"], "/_cat/indices", self._cat_indices),
            (["POST"], "/_aliases", self._change_aliases),
            (["PUT"], _INDEX, self._create_index),
            (["DELETE"], _INDEX, self._delete_index),
            (["POST", "PUT"], f"{_INDEX}/_bulk", self._bulk),
            (["POST"], f"{_INDEX}/_refresh", self._refresh),
            (["GET", "POST"], f"{_INDEX}/_count", self._count),
            (["GET", "POST"], f"{_INDEX}/_search", self._search),
        )

    def respond(self, call: Call) -> Response:
        """Answer a request; one that no route takes gets 400. Raises ElasticsearchError."""
        for methods, pattern, handler in self._routes:
            found = re.fullmatch(pattern, call.raw_path)
            if found and call.method in methods:
                return handler(call.named(found.groupdict()))
        reason = f"no handler found for uri [{call.path}] and method [{call.method}]"
        return json_response(call.accept, {"error": reason, "status": 400}, status=400)

    def _root(self, call: Call) -> Response:
        check_parameters(call)
        version = {"number": VERSION, "build_flavor": "default", "build_type": "fake", "lucene_version": "9.12.2"}
        names = {"name": "fake", "cluster_name": "sam-emulator", "cluster_uuid": self._uuid}
        return json_response(call.accept, {**names, "version": version, "tagline": "You Know, for Search"})

    def _cat_indices(self, call: Call) -> Response:
        check_parameters(call, {"format"})
        if call.query.get("format") != "json":
            raise illegal_argument("the fake answers [_cat/indices] with format=json only")
        return json_response(
            call.accept, [{"index": index.name, "docs.count": str(len(index))} for index in self._indices]
        )

    def _create_index(self, call: Call) -> Response:
        check_parameters(call)
        index = self._indices.create(call.names["index"], read_json(call))
        return json_response(call.accept, {"acknowledged": True, "shards_acknowledged": True, "index": index.name})

    def _delete_index(self, call: Call) -> Response:
        check_parameters(call)
        self._indices.delete(call.names["index"])
        return json_response(call.accept, {"acknowledged": True})

    def _change_aliases(self, call: Call) -> Response:
        check_parameters(call)
        body = read_json(call)
        self._indices.change_aliases(body.get("actions") if isinstance(body, dict) else None)
        return json_response(call.accept, {"acknowledged": True})

    def _get_alias(self, call: Call) -> Response:
        check_parameters(call)
        alias = call.names["alias"]
        names = self._indices.behind(alias)
        if not names:
            return json_response(call.accept, {"error": f"alias [{alias}] missing", "status": 404}, status=404)
        return json_response(call.accept, {name: {"aliases": {alias: {}}} for name in sorted(names)})

    def _bulk(self, call: Call) -> Response:
        """Write every document of the body, each with a result of its own."""
        check_parameters(call)
        started = time.perf_counter()
        index = self._index(call)
        items = [_written(index, identifier, source) for identifier, source in _actions(read_lines(call))]
        took = round((time.perf_counter() - started) * 1000)
        errors = any("error" in item["index"] for item in items)
        return json_response(call.accept, {"took": took, "errors": errors, "items": items})

    def _refresh(self, call: Call) -> Response:
        check_parameters(call)
        index = self._index(call)
        index.refresh()
        loop = asyncio.get_running_loop()
        loop.call_later(_PREPARED_AFTER_SECONDS, loop.run_in_executor, None, index.snapshot.prepare)
        return json_response(call.accept, {"_shards": SHARDS})

    def _count(self, call: Call) -> Response:
        check_parameters(call)
        return json_response(call.accept, count(self._index(call), read_json(call)))

    def _search(self, call: Call) -> Response:
        check_parameters(call)
        return json_response(call.accept, search(self._index(call), read_json(call)))

    def _index(self, call: Call) -> Index:
        return self._indices.one(call.names["index"])


def _actions(lines: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return id and document of each action of a bulk body. Raises ElasticsearchError; then nothing was done."""
    if len(lines) % 2:
        raise illegal_argument(f"The bulk request has no source line after the action of line [{len(lines)}]")
    for number, header in enumerate(lines[::2]):
        is_known = isinstance(header, dict) and set(header) == {"index"} and isinstance(header["index"], dict)
        if not is_known or set(header["index"]) != {"_id"}:
            raise illegal_argument(
                f"Malformed action/metadata line [{2 * number + 1}]: the fake knows an [index] action with an [_id]"
            )
    return [(str(header["index"]["_id"]), source) for header, source in zip(lines[::2], lines[1::2], strict=True)]


def _written(index: Index, identifier: str, source: Any) -> dict[str, Any]:
    where = {"_index": index.name, "_id": identifier}
    try:
        result = index.put(identifier, source)
    except ElasticsearchError as error:
        return {"index": {**where, "status": error.status, "error": error.cause()}}
    return {"index": {**where, "result": result, "status": 201 if result == "created" else 200}}
