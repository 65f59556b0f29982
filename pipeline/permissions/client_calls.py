"""The calls of AWS clients in the sources of a function, found by reading them: nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.permissions.client_flow import ClientFlow
from tools.package_function import packaged_sources

MethodsOf = Callable[[str], frozenset[str]]
"""Given a service, the methods of its client that call an operation."""

_NAMES_AN_OPERATION: Final = frozenset({"generate_presigned_url", "get_paginator"})
_NO_CALL: Final = frozenset({"can_paginate", "close", "exceptions", "meta", "waiter_names"})


class UnreadableCallError(Exception):
    """A call that cannot be understood by reading; the message is a sentence with its place and the remedy."""


@dataclass(frozen=True)
class ClientCall:
    """A call of a client: the service as botocore names it, the client's method, where it is.

    `members` are the kinds of writes of a transaction (`Put`, `Update`, `Delete`, `ConditionCheck`).
    """

    service: str
    method: str
    place: str
    members: frozenset[str] = frozenset()


def read_package(code_uri: Path, methods_of: MethodsOf) -> list[ClientCall]:
    """Return the calls in what the function in `code_uri` is packaged with, as `read`. Raises OSError besides."""
    sources = {place: path for place, path in packaged_sources(code_uri).items() if path.suffix == ".py"}
    return read({str(place): path.read_text(encoding="utf-8") for place, path in sources.items()}, methods_of)


def read(modules: Mapping[str, str], methods_of: MethodsOf) -> list[ClientCall]:
    """Return every call of a client in `modules`, texts by their files.

    Raises UnreadableCallError for a use of a client that is no call of an operation, and for a call of an operation on
    what nobody can tell to be a client; SyntaxError for what is no Python.
    """
    flow = ClientFlow(modules)
    calls = [(scope, node) for scope in flow.scopes for node in scope.nodes if isinstance(node, ast.Call)]
    call_of = {id(call.func): call for _, call in calls}
    services = set().union(*(flow.services(call, scope) for scope, call in calls))
    operations = frozenset().union(*map(methods_of, services))
    found = []
    for scope in flow.scopes:
        for node in scope.nodes:
            if not isinstance(node, ast.Attribute) or node.attr in _NO_CALL:
                continue
            place, call = f"{scope.file}, line {node.lineno}", call_of.get(id(node))
            owners = flow.services(node.value, scope)
            if not owners and call is not None and node.attr in operations:
                raise UnreadableCallError(
                    f"{place}: it cannot be read whose {node.attr} this is; take the client from a function that names "
                    "its service."
                )
            found += [_call(service, node.attr, call, place, methods_of(service)) for service in sorted(owners)]
    return found


def _call(service: str, method: str, call: ast.Call | None, place: str, methods: frozenset[str]) -> ClientCall:
    if method in _NAMES_AN_OPERATION:
        named = call.args[0] if call and call.args else None
        if not isinstance(named, ast.Constant) or named.value not in methods:
            raise UnreadableCallError(f"{place}: {method} must name its operation as a text in its first place.")
        return ClientCall(service, named.value, place)
    if method not in methods:
        raise UnreadableCallError(f"{place}: {method} of a client of {service} is no operation that can be read.")
    return ClientCall(service, method, place, _members(call))


def _members(call: ast.Call | None) -> frozenset[str]:
    """Return the kinds of writes that a call of `transact_write_items` spells out."""
    for word in call.keywords if call else ():
        if word.arg == "TransactItems" and isinstance(word.value, ast.List):
            keys = [key for item in word.value.elts if isinstance(item, ast.Dict) for key in item.keys]
            return frozenset(str(key.value) for key in keys if isinstance(key, ast.Constant))
    return frozenset()
