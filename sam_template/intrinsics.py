"""CloudFormation's intrinsic functions, evaluated against parameters, conditions and the resources that exist.

Source: AWS CloudFormation Template Reference Guide, "Intrinsic function reference", "Condition functions" and
"Pseudo parameters reference". Functions that need a transform of their own (AWS::LanguageExtensions) or another stack
are refused by name.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SUB_REFERENCE: Final = re.compile(r"\$\{([^}]*)\}")
CONDITION_FUNCTIONS: Final = frozenset({"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Condition"})


class IntrinsicError(Exception):
    """An intrinsic function that cannot be evaluated; the message says where, which and why."""


class _NoValue:
    """What `Ref: AWS::NoValue` evaluates to; a property or list member with it is removed."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE: Final = _NoValue()


def _no_resource(logical_id: str, *_: str) -> Any:
    raise KeyError(logical_id)


@dataclass(frozen=True)
class Scope:
    """What intrinsics refer to.

    `values` holds parameters and pseudo parameters (text, or a list for list types). `ref(logical_id)` and
    `get_att(logical_id, attribute)` answer for resources and raise KeyError for one that is unknown to them.
    `conditions` and `mappings` are the template's sections as written.
    """

    values: Mapping[str, Any]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    ref: Callable[[str], Any] = _no_resource
    get_att: Callable[[str, str], Any] = _no_resource


def function_of(node: Any) -> str | None:
    """Return the name of the intrinsic function that `node` calls ("Ref", "Fn::Sub" …), or None for plain data."""
    if isinstance(node, Mapping) and len(node) == 1:
        name = next(iter(node))
        if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
            return str(name)
    return None


def evaluate(node: Any, scope: Scope, where: str) -> Any:
    """Return `node` with every intrinsic replaced by its value; `where` names the place for error messages.

    NO_VALUE members are removed; a `node` that is itself AWS::NoValue returns NO_VALUE.
    Raises IntrinsicError.
    """
    name = function_of(node)
    if name is not None:
        return _call(name, node[name], scope, where)
    if isinstance(node, Mapping):
        pairs = ((key, evaluate(value, scope, f"{where}.{key}")) for key, value in node.items())
        return {key: value for key, value in pairs if value is not NO_VALUE}
    if isinstance(node, list):
        members = (evaluate(member, scope, f"{where}[{index}]") for index, member in enumerate(node))
        return [member for member in members if member is not NO_VALUE]
    return node


def evaluate_condition(name: str, scope: Scope, where: str = "Conditions") -> bool:
    """Return whether the condition `name` of the template holds. Raises IntrinsicError, also for a circle."""
    return _named_condition(name, scope, where, ())


def as_text(value: Any, where: str) -> str:
    """Return a scalar as CloudFormation writes it into text: booleans in lower case, numbers as they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise IntrinsicError(f"{where}: a text is needed, not {_kind(value)}.")


def _call(name: str, argument: Any, scope: Scope, where: str) -> Any:
    function = _FUNCTIONS.get(name)
    if function is None:
        if name in CONDITION_FUNCTIONS:
            raise IntrinsicError(f"{where}: {name} may stand only in Conditions; name the condition in Fn::If instead.")
        raise IntrinsicError(f"{where}: the intrinsic function {name} is unknown to the emulator.")
    return function(argument, scope, f"{where}.{name}")


def _ref(argument: Any, scope: Scope, where: str) -> Any:
    """`Ref`: a parameter's value or a resource's physical id ("Ref")."""
    if not isinstance(argument, str):
        raise IntrinsicError(f"{where}: Ref takes a name, not {_kind(argument)}.")
    if argument == "AWS::NoValue":
        return NO_VALUE
    if argument in scope.values:
        return scope.values[argument]
    try:
        return scope.ref(argument)
    except KeyError:
        raise IntrinsicError(f"{where}: nothing in the template is called {argument}.") from None


def _get_att(argument: Any, scope: Scope, where: str) -> Any:
    """`Fn::GetAtt`: `[logical id, attribute]` or "logical id.attribute" ("Fn::GetAtt")."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        raise IntrinsicError(f"{where}: Fn::GetAtt takes a logical id and an attribute name.")
    attribute = as_text(evaluate(parts[1], scope, where), where)
    try:
        return scope.get_att(parts[0], attribute)
    except KeyError:
        raise IntrinsicError(f"{where}: nothing in the template has {parts[0]}.{attribute}.") from None


def _sub(argument: Any, scope: Scope, where: str) -> str:
    """`Fn::Sub`: a text, or `[text, {name: value}]`; `${!Literal}` stays `${Literal}` ("Fn::Sub")."""
    text, variables = (argument, {}) if isinstance(argument, str) else _arguments("Fn::Sub", argument, 2, where)
    if not isinstance(text, str) or not isinstance(variables, Mapping):
        raise IntrinsicError(f"{where}: Fn::Sub takes a text and, optionally, a mapping of variables.")

    def replace(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in variables:
            value = evaluate(variables[name], scope, f"{where}.{name}")
        elif "." in name:
            value = _get_att(name, scope, where)
        else:
            value = _ref(name, scope, where)
        return as_text(value, f"{where}.{name}")

    return SUB_REFERENCE.sub(replace, text)


def _join(argument: Any, scope: Scope, where: str) -> str:
    """`Fn::Join`: `[delimiter, list of texts]` ("Fn::Join")."""
    delimiter, values = _arguments("Fn::Join", argument, 2, where)
    if not isinstance(delimiter, str):
        raise IntrinsicError(f"{where}: the delimiter of Fn::Join must be a literal text.")
    return delimiter.join(as_text(value, where) for value in _list_of(values, scope, where))


def _select(argument: Any, scope: Scope, where: str) -> Any:
    """`Fn::Select`: `[index, list]`, the index counting from 0 ("Fn::Select")."""
    index, values = _arguments("Fn::Select", argument, 2, where)
    chosen = as_text(evaluate(index, scope, where), where)
    members = _list_of(values, scope, where)
    if not re.fullmatch(r"[0-9]+", chosen) or int(chosen) >= len(members):
        raise IntrinsicError(f"{where}: Fn::Select asks for member {chosen} of a list of {len(members)}.")
    return members[int(chosen)]


def _split(argument: Any, scope: Scope, where: str) -> list[str]:
    """`Fn::Split`: `[delimiter, text]` ("Fn::Split")."""
    delimiter, source = _arguments("Fn::Split", argument, 2, where)
    if not isinstance(delimiter, str) or not delimiter:
        raise IntrinsicError(f"{where}: the delimiter of Fn::Split must be a literal text that is not empty.")
    return as_text(evaluate(source, scope, where), where).split(delimiter)


def _if(argument: Any, scope: Scope, where: str) -> Any:
    """`Fn::If`: `[condition name, value if true, value if false]` ("Condition functions")."""
    name, if_true, if_false = _arguments("Fn::If", argument, 3, where)
    if not isinstance(name, str):
        raise IntrinsicError(f"{where}: the first argument of Fn::If is the name of a condition.")
    return evaluate(if_true if evaluate_condition(name, scope, where) else if_false, scope, where)


def _find_in_map(argument: Any, scope: Scope, where: str) -> Any:
    """`Fn::FindInMap`: `[map, top-level key, second-level key]` ("Fn::FindInMap")."""
    keys = [as_text(evaluate(key, scope, where), where) for key in _arguments("Fn::FindInMap", argument, 3, where)]
    found: Any = scope.mappings
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            raise IntrinsicError(f"{where}: Mappings has no {'.'.join(keys)}.")
        found = found[key]
    return found


def _base64(argument: Any, scope: Scope, where: str) -> str:
    """`Fn::Base64`: the text in UTF-8, encoded ("Fn::Base64")."""
    return base64.b64encode(as_text(evaluate(argument, scope, where), where).encode()).decode()


def _import_value(_argument: Any, _scope: Scope, where: str) -> Any:
    """`Fn::ImportValue` reads an export of another stack, and a laptop has only this one."""
    raise IntrinsicError(
        f"{where}: Fn::ImportValue reads another stack, which does not exist locally; use a parameter."
    )


_FUNCTIONS: Final[Mapping[str, Callable[[Any, Scope, str], Any]]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}


def _named_condition(name: str, scope: Scope, where: str, open_names: tuple[str, ...]) -> bool:
    if name not in scope.conditions:
        raise IntrinsicError(f"{where}: Conditions has no {name}.")
    if name in open_names:
        raise IntrinsicError(f"Conditions.{name}: the condition refers to itself ({' → '.join((*open_names, name))}).")
    return _truth(scope.conditions[name], scope, f"Conditions.{name}", (*open_names, name))


def _truth(node: Any, scope: Scope, where: str, open_names: tuple[str, ...]) -> bool:
    """Return what a condition function answers (And and Or take 2 to 10 conditions, Not one, Equals two values)."""
    name = next(iter(node)) if isinstance(node, Mapping) and len(node) == 1 else None
    if name not in CONDITION_FUNCTIONS:
        raise IntrinsicError(f"{where}: a condition is one of {', '.join(sorted(CONDITION_FUNCTIONS))}.")
    argument = node[name]
    where = f"{where}.{name}"
    if name == "Condition":
        return _named_condition(str(argument), scope, where, open_names)
    if name == "Fn::Equals":
        left, right = (evaluate(value, scope, where) for value in _arguments(name, argument, 2, where))
        return bool(_comparable(left) == _comparable(right))
    if name == "Fn::Not":
        (negated,) = _arguments(name, argument, 1, where)
        return not _truth(negated, scope, where, open_names)
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise IntrinsicError(f"{where}: {name} takes a list of 2 to 10 conditions.")
    answers = [_truth(member, scope, where, open_names) for member in argument]
    return all(answers) if name == "Fn::And" else any(answers)


def _comparable(value: Any) -> Any:
    return as_text(value, "Fn::Equals") if isinstance(value, bool | int | float) else value


def _arguments(name: str, argument: Any, count: int, where: str) -> Sequence[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise IntrinsicError(f"{where}: {name} takes a list of {count}.")
    return argument


def _list_of(node: Any, scope: Scope, where: str) -> list[Any]:
    values = evaluate(node, scope, where)
    if not isinstance(values, list):
        raise IntrinsicError(f"{where}: a list is needed, not {_kind(values)}.")
    return values


def _kind(value: Any) -> str:
    if value is NO_VALUE:
        return "AWS::NoValue"
    return {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing"}.get(type(value), f"{value!r}")
