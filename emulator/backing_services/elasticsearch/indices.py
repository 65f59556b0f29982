"""The indices and their aliases, by name.

Source: Elasticsearch 8.19 reference, "Index APIs", "Aliases", "Multi-target syntax".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from emulator.backing_services.elasticsearch.errors import (
    ElasticsearchError,
    illegal_argument,
    index_not_found,
    parsing,
)
from emulator.backing_services.elasticsearch.index import Index

_FORBIDDEN: Final = re.compile(r'[\s"*,/<>?\\|#:]')
_CREATION: Final = {"mappings", "settings", "aliases"}


class Indices:
    """Every index of the fake."""

    def __init__(self) -> None:
        self._indices: dict[str, Index] = {}
        self._aliases: dict[str, set[str]] = {}

    def create(self, name: str, body: Any) -> Index:
        """Create an index from mappings, settings and aliases."""
        given = body or {}
        for member in given:
            if member not in _CREATION:
                raise parsing(f"unknown key [{member}] for create index")
        _check_name(name)
        if name in self._indices:
            uuid = self._indices[name].uuid
            reason = f"index [{name}/{uuid}] already exists"
            raise ElasticsearchError(400, "resource_already_exists_exception", reason, index=name, index_uuid=uuid)
        if name in self._aliases:
            raise _invalid_name(name, "already exists as alias")
        for alias, definition in given.get("aliases", {}).items():
            self._check_alias(alias, definition)
        index = Index(name, given.get("mappings", {}), given.get("settings", {}))
        self._indices[name] = index
        for alias in given.get("aliases", {}):
            self._aliases.setdefault(alias, set()).add(name)
        return index

    def delete(self, expression: str) -> None:
        """Delete indices by their own names; an alias or a pattern is refused, as Elasticsearch does by default."""
        names = expression.split(",")
        for name in names:
            if "*" in name or name == "_all":
                raise illegal_argument("Wildcard expressions or all indices are not allowed")
            if name in self._aliases:
                raise illegal_argument(
                    f"The provided expression [{name}] matches an alias, specify the corresponding "
                    "concrete indices instead."
                )
            if name not in self._indices:
                raise index_not_found(name)
        for name in names:
            self._drop(name)

    def resolve(self, expression: str) -> list[Index]:
        """Return the indices that names, aliases and patterns, separated by commas, mean."""
        found: dict[str, Index] = {}
        for name in expression.split(","):
            if name in {"_all", "*"} or "*" in name:
                pattern = "*" if name == "_all" else name
                matching = [one for one in (*self._indices, *self._aliases) if fnmatchcase(one, pattern)]
            elif name in self._indices or name in self._aliases:
                matching = [name]
            else:
                raise index_not_found(name)
            for match in matching:
                for target in sorted(self._aliases.get(match, {match})):
                    found[target] = self._indices[target]
        return list(found.values())

    def writable(self, name: str) -> Index:
        """Return the index to write to; it is created when there is none, as `action.auto_create_index` has it."""
        targets = self._aliases.get(name, {name})
        if len(targets) > 1:
            raise illegal_argument(
                f"no write index is defined for alias [{name}]. The write index may be explicitly disabled using "
                "is_write_index=false or the alias points to multiple indices without one being "
                "designated as a write index"
            )
        target = next(iter(targets))
        return self._indices[target] if target in self._indices else self.create(target, {})

    def one(self, name: str) -> Index:
        """Return the one index that `name` means. Raises ElasticsearchError 404 when there is none."""
        found = self.resolve(name)
        if len(found) != 1:
            raise illegal_argument(f"alias [{name}] has more than one index associated with it, can't execute")
        return found[0]

    def aliases_of(self, index: Index) -> dict[str, Any]:
        """Return the aliases of an index as the API shows them."""
        return {alias: {} for alias, targets in sorted(self._aliases.items()) if index.name in targets}

    def change_aliases(self, body: Any) -> None:
        """Do all of `actions` (add, remove, remove_index), or none of them when one is refused."""
        actions = body.get("actions") if isinstance(body, dict) else None
        if not isinstance(actions, list) or not actions:
            raise parsing("[aliases] requires a list of [actions]")
        aliases, doomed = {name: set(targets) for name, targets in self._aliases.items()}, set[str]()
        for action in actions:
            kind, given = next(iter(action.items())) if isinstance(action, dict) and len(action) == 1 else ("", {})
            if kind not in {"add", "remove", "remove_index"} or not isinstance(given, dict):
                raise parsing(f"[aliases] unknown action [{kind or action}]")
            for member in given:
                if member not in {"index", "indices", "alias", "aliases", "must_exist", "is_write_index"}:
                    raise parsing(f"[{kind}] unknown field [{member}]")
            expression = ",".join([*_listed(given, "indices"), *_listed(given, "index")])
            targets = {index.name for index in self.resolve(expression)}
            if kind == "remove_index":
                doomed |= targets
                continue
            for alias in [*_listed(given, "aliases"), *_listed(given, "alias")]:
                if kind == "add":
                    self._check_alias(alias, {}, without=doomed)
                    aliases.setdefault(alias, set()).update(targets)
                elif aliases.get(alias, set()) & targets:
                    aliases[alias] -= targets
                elif given.get("must_exist", True):
                    raise ElasticsearchError(404, "aliases_not_found_exception", f"aliases [{alias}] missing")
        self._aliases = {alias: targets - doomed for alias, targets in aliases.items() if targets - doomed}
        for name in doomed:
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._indices.pop(name, None)
        self._aliases = {alias: left for alias, targets in self._aliases.items() if (left := targets - {name})}

    def _check_alias(self, alias: str, definition: Any, without: Iterable[str] = ()) -> None:
        _check_name(alias)
        if set(definition) - {"is_write_index"}:
            raise parsing(f"alias [{alias}] has members that the fake does not support: {sorted(definition)}")
        if alias in self._indices.keys() - set(without):
            reason = f"Invalid alias name [{alias}]: an index or data stream exists with the same name as the alias"
            raise ElasticsearchError(400, "invalid_alias_name_exception", reason)


def _listed(given: dict[str, Any], name: str) -> list[str]:
    value = given.get(name, [])
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _check_name(name: str) -> None:
    if name != name.lower():
        raise _invalid_name(name, "must be lowercase")
    if not name or _FORBIDDEN.search(name) or name.startswith(("_", "-", "+")) or name in {".", ".."}:
        raise _invalid_name(name, "must not be empty, start with '_', '-' or '+', or hold spaces or \"*\\<|,>/?#:")
    if len(name.encode()) > 255:
        raise _invalid_name(name, "index name is too long, (" + str(len(name.encode())) + " > 255)")


def _invalid_name(name: str, why: str) -> ElasticsearchError:
    return ElasticsearchError(400, "invalid_index_name_exception", f"Invalid index name [{name}], {why}", index=name)
