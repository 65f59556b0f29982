"""Calls of functions that IAM denied, explained: what the template lacks, or which Deny of it decided."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from emulator.aws.ministack_launcher import DENIED_CALL_HEADER
from emulator.aws.resource_type import Created
from emulator.aws.stack import Stack

log = logging.getLogger(__name__)

_WITHIN: Final = re.compile(r"/(?:index|stream|backup)/|[/:]")
_HEADER: Final = re.compile(rb"(?im)^" + DENIED_CALL_HEADER.encode() + rb": *(\{.*\})\r?$")


class DeniedCall(NamedTuple):
    """One call that was denied.

    `session` is the name of the role session, a function's logical id when the emulator gave the credentials. `action`
    is an IAM action, `resource` an ARN or "*". `is_explicit` tells a Deny from a missing Allow; `policy_of` is
    the ARN of the resource whose own policy has the Deny, "" when it is the role's.
    """

    session: str
    action: str
    resource: str
    is_explicit: bool = False
    policy_of: str = ""

    @classmethod
    def read(cls, head: bytes) -> DeniedCall | None:
        """Return what the head of an answer tells (`emulator/aws/ministack_launcher.py`), None without such a call."""
        told = _HEADER.search(head.partition(b"\r\n\r\n")[0])
        if told is None:
            return None
        fields = json.loads(told[1])
        return cls(
            session=fields["principal"].rpartition("/")[2].rstrip("_"),
            action=fields["action"],
            resource=fields["resource"],
            is_explicit=fields["decision"] == "Deny",
            policy_of=fields["policy_of"],
        )


class DeniedCalls:
    """Explains each denied call of a function of `stack` once, in the log, and counts the rest."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._counts: Counter[str] = Counter()
        self._sentences: dict[str, str] = {}

    def observe(self, head: bytes) -> None:
        """Take the head of an error of the AWS endpoint."""
        call = DeniedCall.read(head)
        if call is None or call.session not in self._stack.template.functions:
            return
        remedy = self._remedy(call)
        key = f"{call.session} {call.action} {remedy}"
        self._counts[key] += 1
        if key not in self._sentences:
            resource = json.dumps(call.resource, ensure_ascii=False)[1:-1]  # one line, whatever an object is called
            self._sentences[key] = f"{call.session} may not call {call.action} on {resource}; {remedy}"
            log.warning(self._sentences[key])

    def describe(self) -> list[str]:
        """Return the sentences so far, each with how often its call was denied."""
        return [f"{sentence} (denied so far: {self._counts[key]})" for key, sentence in self._sentences.items()]

    def _remedy(self, call: DeniedCall) -> str:
        file = self._stack.template.path.name
        if call.is_explicit:
            owner, _ = reference(call.policy_of, self._stack.created)
            policy = f"the policy of {owner or call.policy_of}" if call.policy_of else "its own policies"
            return f"a Deny in {policy} in {file} forbids it."
        return f"its Policies in {file} lack {statement(call, self._stack.created)}"


def statement(call: DeniedCall, created: Mapping[str, Created]) -> str:
    """Return the policy statement, as YAML for the template, that would have allowed the call."""
    logical_id, resource = reference(call.resource, created)
    sid = re.sub(r"[^A-Za-z0-9]", "", call.action.partition(":")[2])
    sid += f"On{logical_id}" if logical_id else ""
    return f"{{Sid: {sid}, Effect: Allow, Action: {call.action}, Resource: {resource}}}"


def reference(arn: str, created: Mapping[str, Created]) -> tuple[str, str]:
    """Return the logical id of the resource that `arn` belongs to, and how the template names `arn`, as YAML.

    What lies within a resource (an object of a bucket, an index of a table, a version of a function) becomes all of its
    kind. The logical id is "" for what is not of the stack.
    """
    named = sorted(_arns(created), key=lambda name: len(name[0]), reverse=True)
    for known, logical_id, intrinsic in named:
        if arn == known:
            return logical_id, f"!{intrinsic}"
    for known, logical_id, intrinsic in named:
        within = _WITHIN.match(arn.removeprefix(known)) if arn.startswith(known) else None
        if within is not None:
            return logical_id, f'!Sub "${{{intrinsic.partition(" ")[2]}}}{within[0]}*"'
    bucket = re.match(r"arn:aws:s3:::[^/]+/", arn)
    return "", json.dumps(f"{bucket[0]}*" if bucket else arn)


def _arns(created: Mapping[str, Created]) -> Iterator[tuple[str, str, str]]:
    """Yield the ARNs that resources have: the ARN, the logical id, what gives it (`Ref X`, `GetAtt X.Arn`)."""
    for logical_id, resource in created.items():
        if resource.ref.startswith("arn:"):
            yield resource.ref, logical_id, f"Ref {logical_id}"
        for attribute, value in resource.attributes.items():
            if value.startswith("arn:") and value != resource.ref:
                yield value, logical_id, f"GetAtt {logical_id}.{attribute}"
