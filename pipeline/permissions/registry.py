"""What AWS publishes about permissions: which actions CloudFormation's handlers call, and which actions need others.

Sources: the `handlers` of each resource type's schema in the CloudFormation registry, and the actions of the Service
Authorization Reference with their resource types, both as cfn-lint ships them (`schema_date` in its version.json); the
reference's dependent actions, in dependent_actions.json with its own source and date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

_DATA: Final = Path(str(distribution("cfn-lint").locate_file("cfnlint/data")))  # importing it would take seconds
_REGION: Final = "us-east-1"
"""Where every type is known; permissions do not differ between regions."""
_HANDLERS: Final = ("create", "read", "update", "delete")
_DEPENDENT_ACTIONS: Final = Path(__file__).with_name("dependent_actions.json")


def handler_permissions(type_name: str) -> frozenset[str]:
    """Return the actions that CloudFormation's handlers of a type may call. Raises KeyError for an unknown type."""
    name = _read(_DATA / "schemas" / "providers" / f"{_REGION}.json")[type_name]
    handlers = _read(_DATA / "schemas" / "resources" / f"{name}.json").get("handlers", {})
    return frozenset(action for kind in _HANDLERS for action in handlers.get(kind, {}).get("permissions", ()))


def primary_identifier(type_name: str) -> tuple[str, ...]:
    """Return the properties that name a resource of a type. Raises KeyError for an unknown type."""
    name = _read(_DATA / "schemas" / "providers" / f"{_REGION}.json")[type_name]
    paths = _read(_DATA / "schemas" / "resources" / f"{name}.json")["primaryIdentifier"]
    return tuple(str(path).removeprefix("/properties/") for path in paths)


def is_action(action: str) -> bool:
    """Tell whether the reference has `action`. Handlers list some names that are those of operations alone."""
    return _action(action) is not None


def knows_resources(action: str) -> bool:
    """Tell whether a policy may name resources for `action`; for one that knows none, any ARN allows nothing."""
    return bool((_action(action) or {}).get("Resources"))


def dependent_actions(action: str) -> frozenset[str]:
    """Return what a caller of `action` needs besides. Raises KeyError when its service is not in the vendored list."""
    listed = _read(_DEPENDENT_ACTIONS)
    if action.partition(":")[0] not in listed["services"]:
        raise KeyError(action)
    return frozenset(listed["dependent_actions"].get(action, ()))


def _action(action: str) -> Mapping[str, Any] | None:
    service, _, name = action.partition(":")
    actions = _read(_DATA / "AdditionalSpecs" / "Policies.json").get(service, {}).get("Actions", {})
    found: Mapping[str, Any] | None = actions.get(name.lower())
    return found


@cache
def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
