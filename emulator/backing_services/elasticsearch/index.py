"""One index: its documents, and when a search sees them.

Source: Elasticsearch 8.19 reference, "Index modules", "Near real-time search", "Optimistic concurrency control".
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import ElasticsearchError, illegal_argument
from emulator.backing_services.elasticsearch.mapping import IndexMapping
from emulator.backing_services.elasticsearch.snapshot import Document, Snapshot

_REFRESH_SECONDS: Final = 1.0  # the default of index.refresh_interval
_SETTINGS: Final = {"number_of_shards", "number_of_replicas", "refresh_interval"}


@dataclass(frozen=True)
class Written:
    """What a write did: created, updated, deleted or not_found."""

    identifier: str
    result: str
    version: int
    sequence_number: int


class Index:
    """Documents by id. A search sees them as of the last refresh: asked for, or a second after a write."""

    def __init__(
        self,
        name: str,
        mappings: Mapping[str, Any],
        settings: Mapping[str, Any],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.mapping = IndexMapping(mappings)
        self.settings = _settings(settings)
        self.uuid = secrets.token_urlsafe(16)
        self.created_at = time.time()
        self._clock = clock
        self._documents: dict[str, Document] = {}
        self._sequence_number = -1
        self._written_at: float | None = None
        self._snapshot = Snapshot(name, self.mapping, ())

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, identifier: str) -> Document | None:
        """Return a document as it was last written: reading by id needs no refresh."""
        return self._documents.get(identifier)

    def put(self, identifier: str | None, source: Any, *, only_create: bool = False) -> Written:
        """Write a whole document, under a new id when none is given.

        Raises ElasticsearchError when it does not fit the mapping, or exists and must not.
        """
        if not isinstance(source, dict):
            raise ElasticsearchError(400, "document_parsing_exception", "[1:1] failed to parse: not a JSON object")
        identifier = secrets.token_urlsafe(15) if identifier is None else identifier
        if not 0 < len(identifier.encode()) <= 512:
            raise illegal_argument(f"id [{identifier}] must be 1 to 512 bytes long but was: {len(identifier.encode())}")
        before = self._documents.get(identifier)
        if before and only_create:
            raise self._conflict(identifier, f"document already exists (current version [{before.version}])")
        values = self.mapping.values(source, identifier)
        document = Document(
            identifier,
            source,
            values,
            version=before.version + 1 if before else 1,
            sequence_number=self._next(),
            index=self.name,
        )
        self._documents[identifier] = document
        result = "updated" if before else "created"
        return Written(identifier, result, document.version, document.sequence_number)

    def update(self, identifier: str, change: Mapping[str, Any]) -> Written:
        """Merge `doc` into a document; `doc_as_upsert` or `upsert` say what to write when there is none."""
        for name in change:
            if name not in {"doc", "doc_as_upsert", "upsert"}:
                raise ElasticsearchError(
                    400, "x_content_parse_exception", f"[1:2] [UpdateRequest] unknown field [{name}]"
                )
        before = self._documents.get(identifier)
        if before is None:
            source = change.get("doc") if change.get("doc_as_upsert") else change.get("upsert")
            if source is None:
                raise ElasticsearchError(
                    404, "document_missing_exception", f"[{identifier}]: document missing", index=self.name
                )
            return self.put(identifier, source)
        if not isinstance(change.get("doc"), dict):
            raise ElasticsearchError(
                400, "action_request_validation_exception", "Validation Failed: 1: doc is missing;"
            )
        return self.put(identifier, _merged(before.source, change["doc"]))

    def delete(self, identifier: str) -> Written:
        """Forget a document."""
        before = self._documents.pop(identifier, None)
        if before is None:
            return Written(identifier, "not_found", 1, self._next())
        return Written(identifier, "deleted", before.version + 1, self._next())

    def refresh(self) -> None:
        """Let searches see every write."""
        self._written_at = None
        self._snapshot = Snapshot(self.name, self.mapping, self._documents.values())

    def snapshot(self) -> Snapshot:
        """Return what a search sees now."""
        waits = str(self.settings["refresh_interval"]) != "-1"
        if waits and self._written_at is not None and self._clock() - self._written_at >= _REFRESH_SECONDS:
            self.refresh()
        return self._snapshot

    def _next(self) -> int:
        self._sequence_number += 1
        if self._written_at is None:
            self._written_at = self._clock()
        return self._sequence_number

    def _conflict(self, identifier: str, why: str) -> ElasticsearchError:
        return ElasticsearchError(
            *(409, "version_conflict_engine_exception"),
            f"[{identifier}]: version conflict, {why}",
            index=self.name,
            index_uuid=self.uuid,
            shard="0",
        )


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    flat = {name.removeprefix("index."): value for name, value in given.items() if name != "index"}
    flat |= given.get("index", {})
    for name in flat:
        if name not in _SETTINGS:
            raise illegal_argument(f"unknown setting [index.{name}] for the fake: it knows {sorted(_SETTINGS)}")
    return {"number_of_shards": "1", "number_of_replicas": "1", "refresh_interval": "1s"} | {
        name: str(value) for name, value in flat.items()
    }


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged
