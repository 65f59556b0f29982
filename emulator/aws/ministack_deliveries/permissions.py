"""What policies allow, as MiniStack's own evaluator says."""

from __future__ import annotations

import importlib
from typing import Any

from .forwarding import function_of, lambda_service, tell_denied

INVOKE = "lambda:InvokeFunction"
_READ_ACTIONS = {
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream"),
    "kinesis": ("GetRecords", "GetShardIterator", "DescribeStream"),
}
_WRITE_ACTIONS = {"sqs": "SendMessage", "sns": "Publish"}


def service_may_invoke(arn: str, service: str, source: str) -> bool:
    """Tell whether the function's policy lets `service` invoke it for `source`, an ARN; tell the emulator if not."""
    if not _is_enforced():
        return True
    policy = lambda_service().function_policy_for_arn(arn)
    account = _account()
    context = _context("*", "Service", "", INVOKE, arn, {"aws:sourcearn": source, "aws:sourceaccount": account})
    if policy and _evaluator().evaluate_resource_policy(policy[0], context, service=service).decision == "Allow":
        return True
    tell_denied(arn, {"principal": service, "source": source})
    return False


def role_may_invoke(arn: str, role: str, source: str) -> bool:
    """Tell whether `role` may invoke the function; tell the emulator if not."""
    if not _is_enforced() or role_may(role, INVOKE, arn):
        return True
    tell_denied(arn, {"principal": role, "source": source})
    return False


def role_may(role: str, action: str, resource: str) -> bool:
    """Tell whether the policies of `role`, an ARN, allow the action."""
    evaluator = _evaluator()
    roles = importlib.import_module("ministack.services.iam")._roles  # noqa: SLF001
    name, account = role.rpartition("/")[2], _account()
    session = f"arn:aws:sts::{account}:assumed-role/{name}/emulator"
    policies = evaluator._gather_role_policies(name, account)  # noqa: SLF001
    limits = evaluator._permissions_boundary(roles, name, account)  # noqa: SLF001
    context = _context(session, "AssumedRole", account, action, resource, {})
    return bool(evaluator.evaluate(context, policies, *limits).decision == "Allow")


def unreadable(lambda_svc: Any, data: dict[str, Any]) -> Any:
    """Return the refusal of a mapping whose function's role may not read the source, None when it may."""
    source = str(data.get("EventSourceArn", ""))
    service = "".join(source.split(":")[2:3])
    _, config = function_of(str(data.get("FunctionName", "")))
    if not _is_enforced() or service not in _READ_ACTIONS or config is None:
        return None
    lacking = [one for one in _READ_ACTIONS[service] if not role_may(config["Role"], f"{service}:{one}", source)]
    if not lacking:
        return None
    sentence = (
        f"The provided execution role does not have permissions to call {lacking[0]} on SQS"
        if service == "sqs"
        else f"Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM."
    )
    return lambda_svc._invalid_parameter_value(sentence)  # noqa: SLF001


def unwritable(lambda_svc: Any, data: dict[str, Any]) -> Any:
    """Return the refusal of a mapping whose function's role may not write to its destination, None when it may."""
    target = str(((data.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination") or "")
    service = "".join(target.split(":")[2:3])
    _, config = function_of(str(data.get("FunctionName", "")))
    if not _is_enforced() or service not in _WRITE_ACTIONS or config is None:
        return None
    action = _WRITE_ACTIONS[service]
    if role_may(config["Role"], f"{service}:{action}", target):
        return None
    sentence = f"The provided execution role does not have permissions to call {action} on {service.upper()}"
    return lambda_svc._invalid_parameter_value(sentence)  # noqa: SLF001


def _context(arn: str, kind: str, account: str, action: str, resource: str, values: dict[str, Any]) -> Any:
    return _evaluator().EvalContext(
        principal_arn=arn,
        principal_type=kind,
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=resource.split(":")[3],
        service_context=values,
    )


def _account() -> str:
    return str(importlib.import_module("ministack.core.responses").get_account_id())


def _is_enforced() -> bool:
    return bool(importlib.import_module("ministack.app").AUTH)


def _evaluator() -> Any:
    return importlib.import_module("ministack.core.iam_evaluator")
