"""Whether the role that CloudFormation acts as may do what the template's resource types need, and where it may.

The policies of ExecutionRole in bootstrap.yaml are compared with the actions that CloudFormation's handlers call for
each type, and with the actions on which those depend. A statement's conditions are not looked at. Of its resources one
thing is: an action that knows no resource is allowed by `*` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from pipeline.permissions.registry import dependent_actions, handler_permissions, is_action, knows_resources
from pipeline.permissions.unused_actions import UNUSED, Unused

ROLE: Final = "ExecutionRole"


def audit_execution_role(
    resources: Mapping[str, Any], bootstrap: Mapping[str, Any], unused: Sequence[Unused] = UNUSED
) -> list[str]:
    """Return a sentence for each permission that the role lacks, and for each entry of `unused` that is stale.

    `resources` are those of the template as it is deployed with every option on; `bootstrap` is the parsed template
    with the role.
    """
    statements = list(_statements(bootstrap))
    types = sorted({str(resource["Type"]) for resource in resources.values()})
    sentences = [sentence for type_name in types for sentence in _lacking(type_name, statements, unused)]
    return [*dict.fromkeys(sentences), *_stale(resources, unused)]


def _lacking(type_name: str, statements: Sequence[Mapping[str, Any]], unused: Sequence[Unused]) -> Iterator[str]:
    try:
        called = handler_permissions(type_name)
    except KeyError:
        called = frozenset()
    if not called:
        yield f"Use another type than {type_name}: what CloudFormation does for it is not in the registry."
    excepted = _excepted(type_name, unused)
    wanted = {_spelled(action) for action in called} - excepted
    for action in sorted(wanted | _dependents(wanted) - excepted):
        if not is_action(action):
            continue
        patterns = [each for each in statements if _names(each, action)]
        if not patterns:
            yield f"Let {ROLE} in bootstrap.yaml do {action}: CloudFormation calls it for {type_name}."
        elif not knows_resources(action) and not any("*" in _texts(each["Resource"]) for each in patterns):
            yield f'Let {ROLE} in bootstrap.yaml do {action} on "*": the action knows no other resource.'


def _excepted(type_name: str, unused: Sequence[Unused]) -> set[str]:
    return {action for entry in unused if entry.type_name == type_name for action in entry.actions.split()}


def _dependents(actions: set[str]) -> set[str]:
    found: set[str] = set()
    for action in actions:
        try:
            found |= dependent_actions(action)
        except KeyError:
            if is_action(action):
                raise
    return found


def _stale(resources: Mapping[str, Any], unused: Sequence[Unused]) -> Iterator[str]:
    for entry in unused:
        declared = [each["Properties"] for each in resources.values() if each["Type"] == entry.type_name]
        if not declared:
            yield f"Strike {entry.type_name} off the unused actions: the template has none."
        elif entry.property and any(entry.property in properties for properties in declared):
            yield f"Strike {entry.property} of {entry.type_name} off the unused actions: the template declares it."
        else:
            called = {_spelled(action) for action in handler_permissions(entry.type_name)}
            called |= _dependents(called - _excepted(entry.type_name, unused))
            for action in sorted(set(entry.actions.split()) - called):
                yield f"Strike {action} of {entry.type_name} off the unused actions: no handler calls it."


def _spelled(action: str) -> str:
    """Return an action as the reference spells it: a few handlers begin a name with a small letter."""
    service, _, name = action.partition(":")
    return f"{service}:{name[:1].upper()}{name[1:]}"


def _statements(bootstrap: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in bootstrap["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and {"Ref": ROLE} in properties.get("Roles", []):
            yield from properties["PolicyDocument"]["Statement"]


def _names(statement: Mapping[str, Any], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _texts(statement["Action"]))


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
