"""Errors in the shape of Elasticsearch (8.19 reference, "REST API compatibility" and "Troubleshooting")."""

from __future__ import annotations

import json
from typing import Any, Final

from emulator.fault_injection import ErrorBody, Head, HttpWire

_INJECTED: Final = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    429: "es_rejected_execution_exception",
    503: "cluster_block_exception",
}


class ElasticsearchError(Exception):
    """An error: its HTTP status, Elasticsearch's name for it, one sentence, and members that belong to the kind."""

    def __init__(self, status: int, kind: str, reason: str, **members: Any) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = kind
        self.reason = reason
        self.members = members

    def cause(self) -> dict[str, Any]:
        """Return what stands in `root_cause`, and in an item of a bulk response."""
        return {"type": self.kind, "reason": self.reason, **self.members}

    def body(self) -> dict[str, Any]:
        """Return the response's JSON."""
        return {"error": {"root_cause": [self.cause()], **self.cause()}, "status": self.status}


def parsing(reason: str) -> ElasticsearchError:
    """Return the error for a body that is not the DSL, or not the part of it that the fake knows."""
    return ElasticsearchError(400, "parsing_exception", reason, line=1, col=1)


def illegal_argument(reason: str) -> ElasticsearchError:
    """Return the error for a value that makes no sense."""
    return ElasticsearchError(400, "illegal_argument_exception", reason)


def index_not_found(name: str) -> ElasticsearchError:
    """Return the 404 for an index or alias."""
    members = {"resource.type": "index_or_alias", "resource.id": name, "index_uuid": "_na_", "index": name}
    return ElasticsearchError(404, "index_not_found_exception", f"no such index [{name}]", **members)


def _injected(status: int, _: Head) -> ErrorBody:
    error = ElasticsearchError(
        status, _INJECTED.get(status, "exception"), "The emulator was told to answer with this error."
    )
    return ErrorBody(json.dumps(error.body()).encode(), headers={"X-Elastic-Product": "Elasticsearch"})


WIRE: Final = HttpWire(_injected)
"""How the proxy in front of the node words an error that it was told to answer with."""
