"""How a resource type is created with boto3 from its resolved properties."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.schema import Schema

_SUFFIX_LENGTH: Final = 12


@dataclass(frozen=True)
class Created:
    """A resource that exists: what `Ref` gives, and what `Fn::GetAtt` gives for each attribute."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """One resource type.

    `properties` declares every property that is honoured; `attributes` those of Fn::GetAtt. `name_property` is where
    the template may give the physical name, which has at most `name_length` characters, in lower case if so declared.
    `create(clients, name, properties)` creates the resource, or brings one that exists to what `properties` say.
    `restore(clients, created, properties)` brings back content that a reset leaves alone.
    """

    type_name: str
    properties: Mapping[str, Schema]
    attributes: frozenset[str]
    create: Callable[[Clients, str, Mapping[str, Any]], Created]
    name_property: str | None = None
    name_length: int = 255
    lower_case: bool = False
    restore: Callable[[Clients, Created, Mapping[str, Any]], None] | None = None

    def physical_name(self, stack_name: str, logical_id: str, properties: Mapping[str, Any]) -> str:
        """Return the name that the template gives, else the one that CloudFormation would make."""
        given = properties.get(self.name_property) if self.name_property else None
        if given:
            return str(given)
        name = generated_name(stack_name, logical_id, self.name_length)
        return name.lower() if self.lower_case else name


def generated_name(stack_name: str, logical_id: str, length: int) -> str:
    """Return `<stack>-<logical id>-<suffix>` within `length` characters; always the same for the same stack.

    Source: AWS CloudFormation User Guide, "Name type": a unique physical id of stack name, logical id and random part.
    """
    digest = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).digest()
    suffix = base64.b32encode(digest).decode()[:_SUFFIX_LENGTH]
    room = length - _SUFFIX_LENGTH - 1
    return f"{f'{stack_name}-{logical_id}'[:room].rstrip('-')}-{suffix}"
