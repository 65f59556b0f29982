"""What each route does: the part of the REST API that exists here.

Source: Elasticsearch 8.19 reference, "REST APIs": cat, index, alias, bulk, count and search APIs.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument
from emulator.backing_services.elasticsearch.index import Index, Indices
from emulator.backing_services.elasticsearch.search import SHARDS, count, search
from emulator.backing_services.elasticsearch.wire import check_parameters, json_response, read_json, read_lines

VERSION: Final = "8.19.3"
_INDEX: Final = "/{index:[^_/][^/]*}"


class Endpoints:
    """The handlers over one set of indices."""

    def __init__(self, indices: Indices) -> None:
        self._indices = indices
        self._uuid = secrets.token_urlsafe(16)

    def routes(self) -> list[web.RouteDef]:
        """Return every route; whatever is not here is answered with 400."""
        return [
            web.get("/", self._root, allow_head=False),
            web.get("/_alias/{alias}", self._get_alias, allow_head=False),
            web.get("/_cat/indices", self._cat_indices, allow_head=False),
            web.post("/_aliases", self._change_aliases),
            web.put(_INDEX, self._create_index),
            web.delete(_INDEX, self._delete_index),
            web.post(f"{_INDEX}/_bulk", self._bulk),
            web.put(f"{_INDEX}/_bulk", self._bulk),
            web.post(f"{_INDEX}/_refresh", self._refresh),
            web.get(f"{_INDEX}/_count", self._count, allow_head=False),
            web.post(f"{_INDEX}/_count", self._count),
            web.get(f"{_INDEX}/_search", self._search, allow_head=False),
            web.post(f"{_INDEX}/_search", self._search),
        ]

    async def _root(self, request: web.Request) -> web.Response:
        check_parameters(request)
        version = {"number": VERSION, "build_flavor": "default", "build_type": "fake", "lucene_version": "9.12.2"}
        names = {"name": "fake", "cluster_name": "shop-on-sam", "cluster_uuid": self._uuid}
        return json_response(request, {**names, "version": version, "tagline": "You Know, for Search"})

    async def _cat_indices(self, request: web.Request) -> web.Response:
        check_parameters(request, {"format"})
        if request.query.get("format") != "json":
            raise illegal_argument("the fake answers [_cat/indices] with format=json only")
        return json_response(request, [{"index": index.name, "docs.count": str(len(index))} for index in self._indices])

    async def _create_index(self, request: web.Request) -> web.Response:
        check_parameters(request)
        index = self._indices.create(request.match_info["index"], await read_json(request))
        return json_response(request, {"acknowledged": True, "shards_acknowledged": True, "index": index.name})

    async def _delete_index(self, request: web.Request) -> web.Response:
        check_parameters(request)
        self._indices.delete(request.match_info["index"])
        return json_response(request, {"acknowledged": True})

    async def _change_aliases(self, request: web.Request) -> web.Response:
        check_parameters(request)
        body = await read_json(request)
        self._indices.change_aliases(body.get("actions") if isinstance(body, dict) else None)
        return json_response(request, {"acknowledged": True})

    async def _get_alias(self, request: web.Request) -> web.Response:
        check_parameters(request)
        alias = request.match_info["alias"]
        names = self._indices.behind(alias)
        if not names:
            return json_response(request, {"error": f"alias [{alias}] missing", "status": 404}, status=404)
        return json_response(request, {name: {"aliases": {alias: {}}} for name in sorted(names)})

    async def _bulk(self, request: web.Request) -> web.Response:
        """Write every document of the body, each with a result of its own."""
        check_parameters(request)
        started = time.perf_counter()
        index = self._index(request)
        items = [_written(index, identifier, source) for identifier, source in _actions(await read_lines(request))]
        took = round((time.perf_counter() - started) * 1000)
        errors = any("error" in item["index"] for item in items)
        return json_response(request, {"took": took, "errors": errors, "items": items})

    async def _refresh(self, request: web.Request) -> web.Response:
        check_parameters(request)
        self._index(request).refresh()
        return json_response(request, {"_shards": SHARDS})

    async def _count(self, request: web.Request) -> web.Response:
        check_parameters(request)
        return json_response(request, count(self._index(request), await read_json(request)))

    async def _search(self, request: web.Request) -> web.Response:
        check_parameters(request)
        return json_response(request, search(self._index(request), await read_json(request)))

    def _index(self, request: web.Request) -> Index:
        return self._indices.one(request.match_info["index"])


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
