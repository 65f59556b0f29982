"""Whether the role that CloudFormation acts as may do what the template's resource types need, and where it may.

The policies of ExecutionRole in bootstrap.yaml are compared with the actions that CloudFormation's handlers call for
each type, and with the actions on which those depend. A statement's conditions are not looked at. Of its resources one
thing is: an action that knows no resource is allowed by `*` alone. Of the template's own roles, those without a
permissions boundary are named: the role may make none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from pipeline.permissions.registry import dependent_actions, handler_permissions, is_action, knows_resources
from pipeline.permissions.unused_actions import UNUSED, Unused

ROLE: Final = "ExecutionRole"
_WITHOUT_BOUNDARY: Final = "CodeDeployServiceRole"
"""The role that SAM makes for deployments: it takes no boundary, and bootstrap.yaml lets it be made as it is."""


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
    return [*dict.fromkeys(sentences), *_unbounded(resources), *_stale(resources, unused)]


def _lacking(type_name: str, statements: Sequence[Mapping[str, Any]], unused: Sequence[Unused]) -> Iterator[str]:
    try:
        called = handler_permissions(type_name)
    except KeyError:
        called = frozenset()
    if not called:
        yield f"Use another type than {type_name}: what CloudFormation does for it is not in the registry."
    excepted = _excepted(type_name, unused)
    wanted = {_spelled(action) for action in called} - excepted
    dependents, unknown = _dependents(wanted)
    wanted |= dependents - excepted
    for service in sorted(unknown):
        yield (
            f"Add {service} to dependent_actions.json: CloudFormation calls its actions for {type_name}, and what they "
            "need besides is not known here."
        )
    for action in sorted(wanted):
        if not is_action(action):
            continue
        patterns = [each for each in statements if _names(each, action)]
        if not patterns:
            yield f"Let {ROLE} in bootstrap.yaml do {action}: CloudFormation calls it for {type_name}."
        elif not knows_resources(action) and not any("*" in _texts(each["Resource"]) for each in patterns):
            yield f'Let {ROLE} in bootstrap.yaml do {action} on "*": the action knows no other resource.'


def _unbounded(resources: Mapping[str, Any]) -> Iterator[str]:
    for name, resource in resources.items():
        is_role = resource["Type"] == "AWS::IAM::Role" and name != _WITHOUT_BOUNDARY
        if is_role and "PermissionsBoundary" not in resource["Properties"]:
            yield (
                f"Let the PermissionsBoundary of Globals be that of {name} too (a function, a state machine, a "
                f"ScheduleV2 event and a role have the property): {ROLE} may make no role without it."
            )


def _excepted(type_name: str, unused: Sequence[Unused]) -> set[str]:
    return {action for entry in unused if entry.type_name == type_name for action in entry.actions.split()}


def _dependents(actions: set[str]) -> tuple[set[str], set[str]]:
    """Return what callers of `actions` need besides, and the services of which that is not known."""
    found: set[str] = set()
    unknown: set[str] = set()
    for action in filter(is_action, actions):
        try:
            found |= dependent_actions(action)
        except KeyError:
            unknown.add(action.partition(":")[0])
    return found, unknown


def _stale(resources: Mapping[str, Any], unused: Sequence[Unused]) -> Iterator[str]:
    for entry in unused:
        declared = [each["Properties"] for each in resources.values() if each["Type"] == entry.type_name]
        if not declared:
            yield f"Strike {entry.type_name} off the unused actions: the template has none."
        elif entry.property and any(entry.property in properties for properties in declared):
            yield f"Strike {entry.property} of {entry.type_name} off the unused actions: the template declares it."
        else:
            called = {_spelled(action) for action in handler_permissions(entry.type_name)}
            called |= _dependents(called - _excepted(entry.type_name, unused))[0]
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
