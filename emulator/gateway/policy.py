"""What an authorizer's IAM policy allows.

Source: API Gateway Developer Guide, "Output from an API Gateway Lambda authorizer"; IAM User Guide, "Policy evaluation
logic" (an explicit Deny wins, what nothing allows is denied) and "IAM JSON policy elements: Resource" (wildcards).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

ACTION = "execute-api:Invoke"


class Verdict(Enum):
    """What a policy says of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    """By a Deny statement."""
    NOT_ALLOWED = "not allowed"
    """By no statement."""


class PolicyError(Exception):
    """The policy is none."""


def evaluate(document: Any, resource: str) -> Verdict:
    """Return what the policy says of invoking `resource` (an ARN). Raises `PolicyError`."""
    if not isinstance(document, Mapping):
        raise PolicyError("policyDocument is not an object")
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        raise PolicyError("policyDocument has no Statement")
    verdict = Verdict.NOT_ALLOWED
    for statement in statements:
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise PolicyError("a statement has no Effect")
        if not _applies(statement, resource):
            continue
        if statement["Effect"] == "Deny":
            return Verdict.DENIED
        verdict = Verdict.ALLOWED
    return verdict


def _applies(statement: Mapping[str, Any], resource: str) -> bool:
    if not any(_matches(action, ACTION, ignore_case=True) for action in _texts(statement.get("Action"))):
        return False
    if "NotResource" in statement:
        return not any(_matches(each, resource) for each in _texts(statement["NotResource"]))
    return any(_matches(each, resource) for each in _texts(statement.get("Resource")))


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    return bool(_expression(pattern, ignore_case).fullmatch(text))


@lru_cache(256)
def _expression(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
