"""What each route does: the part of the REST API that exists here.

Source: Elasticsearch 8.19 reference, "REST APIs": cluster, cat, index, alias, document and search APIs.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from aiohttp import web

from emulator.backing_services.elasticsearch import bulk, search
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Index
from emulator.backing_services.elasticsearch.indices import Indices
from emulator.backing_services.elasticsearch.wire import (
    answer_json,
    check_parameters,
    flag,
    read_json,
    read_lines,
    read_object,
)

VERSION: Final = "8.19.3"
_CLUSTER: Final = "shop-on-sam"
_INDEX: Final = "/{index:[^_/][^/]*}"
_TIMEOUTS: Final = {"timeout", "master_timeout", "wait_for_active_shards"}
_TARGETS: Final = {"ignore_unavailable", "allow_no_indices", "expand_wildcards"}
_WRITES: Final = {"refresh", "timeout", "wait_for_active_shards", "require_alias"}


class Endpoints:
    """The handlers over one set of indices."""

    def __init__(self, indices: Indices) -> None:
        self._indices = indices
        self._uuid = secrets.token_urlsafe(16)

    def routes(self) -> list[web.RouteDef]:
        """Return every route; whatever is not here is answered with 400."""
        table = {
            ("GET", "HEAD"): {
                "/": self._root,
                "/_alias": self._get_alias,
                "/_alias/{alias}": self._get_alias,
                f"{_INDEX}/_alias": self._get_alias,
                f"{_INDEX}/_alias/{{alias}}": self._get_alias,
                f"{_INDEX}/_doc/{{id}}": self._get_document,
                _INDEX: self._get_index,
            },
            ("GET",): {
                "/_cat/indices": self._cat_indices,
                "/_cluster/health": self._health,
                f"{_INDEX}/_mapping": self._get_mapping,
            },
            ("GET", "POST"): {
                "/_count": self._count,
                f"{_INDEX}/_count": self._count,
                "/_refresh": self._refresh,
                f"{_INDEX}/_refresh": self._refresh,
                "/_search": self._search,
                f"{_INDEX}/_search": self._search,
            },
            ("POST", "PUT"): {
                "/_bulk": self._bulk,
                f"{_INDEX}/_bulk": self._bulk,
                f"{_INDEX}/_create/{{id}}": self._put_document,
                f"{_INDEX}/_doc/{{id}}": self._put_document,
            },
            ("POST",): {"/_aliases": self._aliases, f"{_INDEX}/_doc": self._put_document},
            ("PUT",): {_INDEX: self._create_index},
            ("DELETE",): {_INDEX: self._delete_index, f"{_INDEX}/_doc/{{id}}": self._delete_document},
        }
        return [
            web.RouteDef(method, path, handler, {"allow_head": False} if method == "GET" else {})
            for methods, handlers in table.items()
            for path, handler in handlers.items()
            for method in methods
        ]

    async def _root(self, request: web.Request) -> web.Response:
        check_parameters(request)
        version = {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "fake",
            "build_hash": "0" * 40,
            "build_date": "2025-08-26T00:00:00.000000000Z",
            "build_snapshot": False,
            "lucene_version": "9.12.2",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        }
        names = {"name": "fake", "cluster_name": _CLUSTER, "cluster_uuid": self._uuid}
        return answer_json(request, names | {"version": version, "tagline": "You Know, for Search"})

    async def _health(self, request: web.Request) -> web.Response:
        check_parameters(request, {"timeout", "master_timeout", "wait_for_status", "local"})
        shards = len(self._indices.resolve("_all"))
        return answer_json(
            request,
            {
                "cluster_name": _CLUSTER,
                "status": "green",
                "timed_out": False,
                "number_of_nodes": 1,
                "number_of_data_nodes": 1,
                "active_primary_shards": shards,
                "active_shards": shards,
                "relocating_shards": 0,
                "initializing_shards": 0,
                "unassigned_shards": 0,
                "active_shards_percent_as_number": 100.0,
            },
        )

    async def _cat_indices(self, request: web.Request) -> web.Response:
        parameters = check_parameters(request, {"format", "v"})
        rows = [
            {
                "health": "green",
                "status": "open",
                "index": index.name,
                "uuid": index.uuid,
                "docs.count": str(len(index)),
            }
            for index in self._indices.resolve("_all")
        ]
        if parameters.get("format") == "json":
            return answer_json(request, rows)
        lines = [" ".join(rows[0])] if rows and flag(parameters, "v") else []
        return web.Response(text="".join(f"{line}\n" for line in [*lines, *(" ".join(row.values()) for row in rows)]))

    async def _create_index(self, request: web.Request) -> web.Response:
        check_parameters(request, _TIMEOUTS)
        index = self._indices.create(request.match_info["index"], await read_json(request))
        return answer_json(request, {"acknowledged": True, "shards_acknowledged": True, "index": index.name})

    async def _delete_index(self, request: web.Request) -> web.Response:
        check_parameters(request, _TIMEOUTS)
        self._indices.delete(request.match_info["index"])
        return answer_json(request, {"acknowledged": True})

    async def _get_index(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        return answer_json(request, {index.name: self._described(index) for index in self._targets(request)})

    async def _get_mapping(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        found = self._targets(request)
        return answer_json(request, {index.name: {"mappings": index.mapping.body()} for index in found})

    async def _aliases(self, request: web.Request) -> web.Response:
        check_parameters(request, _TIMEOUTS)
        self._indices.change_aliases(await read_object(request))
        return answer_json(request, {"acknowledged": True})

    async def _get_alias(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        alias = request.match_info.get("alias")
        found = {index.name: self._indices.aliases_of(index) for index in self._targets(request)}
        if alias is None:
            return answer_json(request, {name: {"aliases": aliases} for name, aliases in found.items()})
        pointing: dict[str, Any] = {
            name: {"aliases": {alias: {}}} for name, aliases in found.items() if alias in aliases
        }
        if not pointing:
            return answer_json(request, {"error": f"alias [{alias}] missing", "status": 404}, status=404)
        return answer_json(request, pointing)

    async def _bulk(self, request: web.Request) -> web.Response:
        parameters = check_parameters(request, _WRITES)
        content = await read_lines(request)
        index = request.match_info.get("index")
        return answer_json(request, bulk.bulk(self._indices, index, content, refresh=flag(parameters, "refresh")))

    async def _put_document(self, request: web.Request) -> web.Response:
        parameters = check_parameters(request, {*_WRITES, "op_type"})
        only_create = "/_create/" in request.path or parameters.get("op_type") == "create"
        body = await read_object(request)
        index = self._indices.writable(request.match_info["index"])
        written = index.put(request.match_info.get("id"), body, only_create=only_create)
        return self._written(request, index, written)

    async def _delete_document(self, request: web.Request) -> web.Response:
        check_parameters(request, _WRITES)
        index = self._indices.one(request.match_info["index"])
        return self._written(request, index, index.delete(request.match_info["id"]))

    async def _get_document(self, request: web.Request) -> web.Response:
        check_parameters(request)
        index, identifier = self._indices.one(request.match_info["index"]), request.match_info["id"]
        document = index.get(identifier)
        if document is None:
            return answer_json(request, {"_index": index.name, "_id": identifier, "found": False}, status=404)
        versions = {"_version": document.version, "_seq_no": document.sequence_number, "_primary_term": 1}
        found = {"_index": index.name, "_id": identifier, **versions, "found": True, "_source": document.source}
        return answer_json(request, found)

    async def _refresh(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        indices = self._targets(request)
        for index in indices:
            index.refresh()
        return answer_json(request, {"_shards": search.shards(len(indices))})

    async def _search(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        body = await read_json(request)
        return answer_json(request, search.search([index.snapshot() for index in self._targets(request)], body))

    async def _count(self, request: web.Request) -> web.Response:
        check_parameters(request, _TARGETS)
        body = await read_json(request)
        return answer_json(request, search.count([index.snapshot() for index in self._targets(request)], body))

    def _targets(self, request: web.Request) -> list[Index]:
        """Return the indices that the path and the parameters name."""
        expression = request.match_info.get("index", "_all")
        if not flag(request.query, "ignore_unavailable"):
            return self._indices.resolve(expression)
        found: dict[str, Index] = {}
        for name in expression.split(","):
            try:
                found |= {index.name: index for index in self._indices.resolve(name)}
            except ElasticsearchError as error:
                if error.status != 404:
                    raise
        return list(found.values())

    def _described(self, index: Index) -> dict[str, Any]:
        settings = index.settings | {
            "uuid": index.uuid,
            "provided_name": index.name,
            "creation_date": str(round(index.created_at * 1000)),
        }
        aliases = self._indices.aliases_of(index)
        return {"aliases": aliases, "mappings": index.mapping.body(), "settings": {"index": settings}}

    def _written(self, request: web.Request, index: Index, written: Any) -> web.Response:
        if flag(request.query, "refresh"):
            index.refresh()
        return answer_json(request, bulk.written_body(index, written), status=bulk.written_status(written))
