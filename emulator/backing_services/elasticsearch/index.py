"""Indices, their documents and their aliases.

Source: Elasticsearch 8.19 reference, "Index APIs", "Aliases", "Near real-time search". A search sees documents as of
the last refresh that somebody asked for; the real one refreshes by itself as well, once a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import (
    ElasticsearchError,
    illegal_argument,
    index_not_found,
    parsing,
)
from emulator.backing_services.elasticsearch.mapping import IndexMapping
from emulator.backing_services.elasticsearch.snapshot import Document, Snapshot

_FORBIDDEN: Final = re.compile(r'[\s"*,/<>?\\|#:A-Z]')


class Index:
    """Documents by id."""

    def __init__(self, name: str, mappings: Mapping[str, Any]) -> None:
        self.name = name
        self.mapping = IndexMapping(mappings)
        self._documents: dict[str, Document] = {}
        self.snapshot = Snapshot(self.mapping, ())
        """What a search sees."""

    def __len__(self) -> int:
        return len(self._documents)

    def put(self, identifier: str, source: Any) -> str:
        """Write a whole document; return `created` or `updated`. Raises ElasticsearchError when it does not fit."""
        if not isinstance(source, dict):
            raise ElasticsearchError(400, "document_parsing_exception", "[1:1] failed to parse: not a JSON object")
        values = self.mapping.values(source, identifier)
        result = "updated" if identifier in self._documents else "created"
        self._documents[identifier] = Document(identifier, source, values)
        return result

    def refresh(self) -> None:
        """Let searches see every write."""
        self.snapshot = Snapshot(self.mapping, self._documents.values())


class Indices:
    """Every index of the fake, by name, and the aliases."""

    def __init__(self) -> None:
        self._indices: dict[str, Index] = {}
        self._aliases: dict[str, set[str]] = {}

    def __iter__(self) -> Any:
        return iter(self._indices.values())

    def create(self, name: str, body: Any) -> Index:
        """Create an index from its mappings."""
        given = {} if body is None else body
        for member in given:
            if member != "mappings":
                raise parsing(f"unknown key [{member}] for create index: the fake knows mappings")
        if _FORBIDDEN.search(name) or name.startswith(("_", "-", "+")) or len(name.encode()) > 255:
            reason = (
                f"Invalid index name [{name}], must be lowercase, at most 255 bytes, not start with '_', '-' or '+', "
                'and hold neither spaces nor "*\\<|,>/?#:'
            )
            raise ElasticsearchError(400, "invalid_index_name_exception", reason, index=name)
        if name in self._indices or name in self._aliases:
            reason = f"index [{name}] already exists"
            raise ElasticsearchError(400, "resource_already_exists_exception", reason, index=name)
        self._indices[name] = Index(name, given.get("mappings", {}))
        return self._indices[name]

    def delete(self, name: str) -> None:
        """Delete an index by its own name; an alias is refused."""
        if name in self._aliases:
            raise illegal_argument(
                f"The provided expression [{name}] matches an alias, specify the corresponding concrete indices "
                "instead."
            )
        if name not in self._indices:
            raise index_not_found(name)
        self._drop(name)

    def one(self, name: str) -> Index:
        """Return the index that a name or an alias means. Raises ElasticsearchError."""
        targets = self._aliases.get(name, {name} & self._indices.keys())
        if not targets:
            raise index_not_found(name)
        if len(targets) > 1:
            raise illegal_argument(f"alias [{name}] has more than one index associated with it: the fake takes one")
        return self._indices[next(iter(targets))]

    def behind(self, alias: str) -> set[str]:
        """Return the names of the indices that `alias` means."""
        return self._aliases.get(alias, set())

    def change_aliases(self, actions: Any) -> None:
        """Do all of `actions` (add, remove_index), or none of them when one is refused."""
        if not isinstance(actions, list) or not actions:
            raise parsing("[aliases] requires a list of [actions]")
        added: dict[str, set[str]] = {}
        doomed: set[str] = set()
        for action in actions:
            kind, given = next(iter(action.items())) if isinstance(action, dict) and len(action) == 1 else (action, {})
            members = {"add": {"index", "alias"}, "remove_index": {"index"}}.get(str(kind))
            if members is None or not isinstance(given, dict) or set(given) != members:
                raise parsing(f"[aliases] the fake does not know the action [{action}]")
            if given["index"] not in self._indices:
                raise index_not_found(given["index"])
            if kind == "add":
                added.setdefault(given["alias"], set()).add(given["index"])
            else:
                doomed.add(given["index"])
        for alias in added:
            if alias in self._indices.keys() - doomed:
                reason = f"Invalid alias name [{alias}]: an index or data stream exists with the same name as the alias"
                raise ElasticsearchError(400, "invalid_alias_name_exception", reason)
        for alias, targets in added.items():
            self._aliases.setdefault(alias, set()).update(targets)
        for name in doomed:
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._indices[name]
        self._aliases = {alias: left for alias, targets in self._aliases.items() if (left := targets - {name})}
