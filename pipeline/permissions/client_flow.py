"""Where the clients of AWS services go in a function's sources: which expressions may be clients, and of what.

A client is what botocore's `create_client` returns, or boto3's `client`. It is followed through what returns it,
through variables, attributes and arguments; order does not matter. A name that is not of the same file, nor of the
module that is named, may be any of that name in the sources.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FACTORIES: Final = frozenset({"create_client", "client"})
"""What makes clients of AWS when it is called on something; the first argument names the service."""
_RETURNED: Final = "return"  # no name of a variable
_WHATEVER: Final = object()
"""Stands for every object that has an attribute: attributes are told apart by their names alone."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Scope:
    """A function or method with all that is nested in it, or what a module runs itself: `nodes`."""

    file: str
    node: ast.AST
    nodes: tuple[ast.AST, ...]
    parameters: tuple[str, ...] = ()


class ClientFlow:
    """The flow of clients through `modules`, which are texts by their files. Raises SyntaxError."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.scopes: list[Scope] = []
        self._modules: list[ast.AST] = []
        self._named: defaultdict[str, list[Scope]] = defaultdict(list)
        self._factories: dict[Scope, int] = {}
        self._values: defaultdict[tuple[object, str], set[str]] = defaultdict(set)
        for file, text in modules.items():
            self._add(file, ast.parse(text, file))
        self._follow()

    def services(self, node: ast.expr, scope: Scope) -> set[str]:
        """Return the services, as they are called where clients are made, of which `node` may be a client."""
        match node:
            case ast.Name(id=name):
                return self._known((place, name) for place in (scope.node, *self._modules))
            case ast.Attribute(attr=name):
                return self._known([(_WHATEVER, name)])
            case ast.Call(func=function):
                named = self._service_argument(node, scope)
                if isinstance(named, ast.Constant) and isinstance(named.value, str):
                    return {named.value}
                return self._known((callee.node, _RETURNED) for callee in self._callees(function, scope))
            case ast.IfExp(body=one, orelse=other):
                return self.services(one, scope) | self.services(other, scope)
            case ast.BoolOp(values=values):
                return set().union(*(self.services(value, scope) for value in values))
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.services(value, scope)
        return set()

    def _add(self, file: str, module: ast.Module) -> None:
        self._modules.append(module)
        self.scopes.append(Scope(file, module, tuple(_outside_functions(module))))
        for holder in ast.walk(module):
            for node in holder.body if isinstance(holder, ast.Module | ast.ClassDef) else ():
                if not isinstance(node, _Function):
                    continue
                called, parameters = node.name, _parameters(node)
                if isinstance(holder, ast.ClassDef):
                    called = holder.name if node.name == "__init__" else node.name
                    del parameters[:1]
                scope = Scope(file, node, tuple(ast.walk(node)), tuple(parameters))
                self.scopes.append(scope)
                self._named[called].append(scope)

    def _follow(self) -> None:
        """Pass clients on until nobody learns of another one."""
        passing = ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem | ast.Return | ast.Call
        steps = [(node, scope) for scope in self.scopes for node in scope.nodes if isinstance(node, passing)]
        known = -1
        while known != (known := len(self._factories) + sum(map(len, self._values.values()))):
            for node, scope in steps:
                self._pass_on(node, scope)

    def _pass_on(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._learn(target, value, scope)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
                | ast.withitem(context_expr=value, optional_vars=ast.expr() as target)
            ):
                self._learn(target, value, scope)
            case ast.Return(value=ast.expr() as value):
                self._values[scope.node, _RETURNED] |= self.services(value, scope)
            case ast.Call():
                self._pass_arguments(node, scope)

    def _pass_arguments(self, call: ast.Call, scope: Scope) -> None:
        named = self._service_argument(call, scope)
        if isinstance(named, ast.Name) and named.id in scope.parameters:
            self._factories[scope] = scope.parameters.index(named.id)
        for callee in self._callees(call.func, scope):
            words = [(word.arg, word.value) for word in call.keywords]
            for name, value in [*zip(callee.parameters, call.args, strict=False), *words]:
                if name in callee.parameters and (services := self.services(value, scope)):
                    self._values[callee.node, name] |= services

    def _learn(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        services = self.services(value, scope)
        if services and isinstance(target, ast.Name):
            self._values[scope.node, target.id] |= services
        elif services and isinstance(target, ast.Attribute):
            self._values[_WHATEVER, target.attr] |= services

    def _known(self, keys: Iterable[tuple[object, str]]) -> set[str]:
        return set().union(*(self._values.get(key, ()) for key in keys))

    def _service_argument(self, call: ast.Call, scope: Scope) -> ast.expr | None:
        """Return what names the service in a call of what makes clients."""
        places = [self._factories[callee] for callee in self._callees(call.func, scope) if callee in self._factories]
        if not places and isinstance(call.func, ast.Attribute) and call.func.attr in _FACTORIES:
            places = [0]
        if not places:
            return None
        words = {word.arg: word.value for word in call.keywords}
        return call.args[places[0]] if len(call.args) > places[0] else words.get("service_name", words.get("service"))

    def _callees(self, function: ast.expr, scope: Scope) -> list[Scope]:
        """Return the functions that a call may reach."""
        match function:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                nearest = [other for other in self._named.get(name, ()) if other.file == scope.file]
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                nearest = [other for other in self._named.get(name, ()) if Path(other.file).stem == module]
            case ast.Attribute(attr=name):
                nearest = []
            case _:
                return []
        return nearest or self._named.get(name, [])


def _parameters(function: _Function) -> list[str]:
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _outside_functions(module: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(module):
        if not isinstance(child, _Function):
            yield child
            yield from _outside_functions(child)
