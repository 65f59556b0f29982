"""One resource type of CloudFormation: its properties, how it is made and read back, and its return values.

To add a type to the local run and to the rehearsal, write one file in `emulator/aws/resources/`. Its name is the type's
(`AWS::SQS::QueuePolicy`: `sqs_queue_policy.py`), it is found by that name, and it defines `RESOURCE`:

    RESOURCE: Final = ResourceType(
        "AWS::SQS::Queue",
        PROPERTIES,  # what a template may say, and of which kind (schema.py)
        create=_create,  # makes it, or brings the one that exists to what is declared; returns what Ref gives
        read=_read,  # returns what the service says of the one that exists, in CloudFormation's words
        attributes={"Arn": "arn:aws:sqs:{region}:{account}:{name}"},  # what Fn::GetAtt gives
        name_property="QueueName",
        name_length=80,
    )

A test makes one with every property and compares what `read` returns with what was declared
(`tests/integration/emulator/aws/resources/`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, TypeAlias

from emulator.aws.clients import Clients
from emulator.aws.schema import Schema
from sam_template import ACCOUNT_ID

Properties: TypeAlias = Mapping[str, Any]
LOOKED_UP: Final = ""
"""The pattern of an attribute that only the service knows: `look_up` returns it."""

_SUFFIX_LENGTH: Final = 12


class NotEmulatedError(Exception):
    """What a resource needs is not emulated; the message, which has "it" before it, says what that is."""


@dataclass(frozen=True)
class Created:
    """A resource that exists: what `Ref` gives, and what `Fn::GetAtt` gives for each attribute."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ResourceType:
    """A resource type: see the top of this file.

    `create(clients, name, properties)` is called with the physical name. `read(clients, ref, declared)` returns a
    member for every property that it can read: None where the service reports nothing.

    `attributes` are patterns of what `Fn::GetAtt` gives. A pattern may hold `{ref}` (what Ref gives), `{name}` (the
    last part of that), `{id}` (ten characters that stay the same), `{region}`, `{account}` and any property that is a
    text, such as `{FunctionName}`. `look_up(clients, ref)` returns those that are LOOKED_UP.

    `made_by` says what does its work in a local run when that is not the endpoint, `missing` what does not work when
    nothing does. Such a type has no `properties`; without `create`, `ref` is the pattern of what Ref gives.

    `name_property` is where the template may give the physical name, which has at most `name_length` characters, in
    lower case if so declared. `restore(clients, ref, properties)` brings back content that a reset leaves alone.
    `left_out(properties)` returns a sentence for each declared thing that does not work in a local run. `unreported`
    are the paths of properties that MiniStack takes, and neither reports nor follows.
    `parts(properties)` splits a property that the rehearsal compares in parts.
    """

    type_name: str
    properties: Mapping[str, Schema] = field(default_factory=dict)
    _: KW_ONLY
    read: Callable[[Clients, str, Properties], Properties]
    create: Callable[[Clients, str, Properties], str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    look_up: Callable[[Clients, str], Mapping[str, str]] | None = None
    made_by: str = ""
    missing: str = ""
    ref: str = "{name}"
    name_property: str | None = None
    name_length: int = 255
    lower_case: bool = False
    restore: Callable[[Clients, str, Properties], None] | None = None
    left_out: Callable[[Properties], Sequence[str]] = lambda _: ()
    unreported: frozenset[str] = frozenset()
    parts: Callable[[Properties], Properties] = lambda properties: properties

    def physical_name(self, stack_name: str, logical_id: str, properties: Properties) -> str:
        """Return the name that the template gives, else the one that CloudFormation would make."""
        given = properties.get(self.name_property) if self.name_property else None
        if given:
            return str(given)
        name = generated_name(stack_name, logical_id, self.name_length)
        return name.lower() if self.lower_case else name

    def usual_ref(self, stack_name: str, logical_id: str, properties: Properties, region: str) -> str:
        """Return what Ref would give in AWS for a resource that a local run does not make."""
        name = self.physical_name(stack_name, logical_id, properties)
        return _fill(self.ref, {**_known(name, properties, region), "name": name})

    def attribute(self, name: str, clients: Clients, ref: str, properties: Properties) -> str:
        """Return what `Fn::GetAtt` gives for `name`. Raises KeyError for an attribute that it does not have."""
        if self.attributes[name] == LOOKED_UP and self.look_up is not None:
            return self.look_up(clients, ref)[name]
        known = {**_known(ref, properties, clients.region), "ref": ref, "name": re.split("[/:]", ref)[-1]}
        return _fill(self.attributes[name], known)

    def created(self, clients: Clients, ref: str, properties: Properties) -> Created:
        """Return all return values of the resource of which Ref gives `ref`."""
        patterns = [name for name, pattern in self.attributes.items() if pattern != LOOKED_UP]
        values = {name: self.attribute(name, clients, ref, properties) for name in patterns}
        return Created(ref, values | dict(self.look_up(clients, ref) if self.look_up else {}))


def generated_name(stack_name: str, logical_id: str, length: int) -> str:
    """Return `<stack>-<logical id>-<suffix>` within `length` characters; always the same for the same stack.

    Source: AWS CloudFormation User Guide, "Name type": a unique physical id of stack name, logical id and random part.
    """
    digest = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).digest()
    suffix = base64.b32encode(digest).decode()[:_SUFFIX_LENGTH]
    room = length - _SUFFIX_LENGTH - 1
    return f"{f'{stack_name}-{logical_id}'[:room].rstrip('-')}-{suffix}"


def service_of(arn: str) -> str:
    """Return the service that an ARN names, "" for what is no ARN (IAM User Guide, "Amazon Resource Names")."""
    return "".join(arn.split(":")[2:3])


def _known(seed: str, properties: Properties, region: str) -> dict[str, str]:
    texts = {key: value for key, value in properties.items() if isinstance(value, str)}
    short = hashlib.sha256(seed.encode()).hexdigest()[:10]
    return {**texts, "id": short, "region": region, "account": ACCOUNT_ID}


def _fill(pattern: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), pattern)
