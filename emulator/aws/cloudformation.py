"""Resources of types that have no file here, made by the endpoint's own CloudFormation: a small stack for each.

Their properties are not checked: an emulated CloudFormation drops some in silence.
Source: AWS CloudFormation API Reference, "ValidateTemplate", "CreateStack", "UpdateStack" and "DescribeStackEvents".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Created, service_of

_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.02
_CAPABILITIES: Final = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_REF: Final = "Ref"
_UNKNOWN: Final = re.compile(r"Unrecognized resource types: \[([^\]]*)\]")


class NotMadeError(Exception):
    """A resource that CloudFormation did not make; the message is its reason, without a full stop."""


def unknown_types(clients: Clients, type_names: Iterable[str]) -> frozenset[str]:
    """Return those of `type_names` that the endpoint's CloudFormation does not know: all, when it has none.

    Source of the sentence that names them: AWS CloudFormation User Guide, "Troubleshooting CloudFormation".
    """
    asked = sorted(set(type_names))
    resources = {f"R{number}": {"Type": type_name} for number, type_name in enumerate(asked)}
    try:
        clients.named("cloudformation").validate_template(TemplateBody=json.dumps({"Resources": resources}))
    except (BotoCoreError, ClientError) as error:
        named = _UNKNOWN.search(str(error))
        return frozenset(named[1].split(", ") if named else asked)
    return frozenset()


def make(
    clients: Clients,
    stack_name: str,
    logical_id: str,
    type_name: str,
    properties: Mapping[str, Any],
    attributes: Iterable[str],
) -> Created:
    """Make a resource in the stack `<stack_name>-<logical_id>`, or bring the one that exists to `properties`.

    Return what `Ref` gives and what `Fn::GetAtt` gives for `attributes`. Raises NotMadeError.
    """
    wanted = sorted(attributes)
    outputs: dict[str, Any] = {f"A{number}": {"Fn::GetAtt": [logical_id, name]} for number, name in enumerate(wanted)}
    outputs[_REF] = {"Ref": logical_id}
    template = {
        "Resources": {logical_id: {"Type": type_name, "Properties": properties}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    try:
        values = _deploy(clients.named("cloudformation"), f"{stack_name}-{logical_id}", json.dumps(template))
    except (BotoCoreError, ClientError) as error:
        raise NotMadeError(str(error).rstrip(".")) from error
    return Created(values[_REF], {name: values[f"A{number}"] for number, name in enumerate(wanted)})


def left_out(type_name: str, properties: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence for what is made to no effect: events that do not come, authorization that is not asked."""
    if type_name == "AWS::Logs::SubscriptionFilter":
        return ("functions log to the terminal, so only what PutLogEvents writes to its log group comes",)
    if type_name == "AWS::Pipes::Pipe":
        source, target = (str(properties.get(end, "")) for end in ("Source", "Target"))
        if service_of(source) != "dynamodb" or service_of(target) not in ("sns", "states"):
            pipes = "MiniStack's pipes lead from streams of tables to topics and state machines"
            return (f"nothing comes from {source} to {target}: {pipes}",)
    if type_name in ("AWS::ApiGatewayV2::Route", "AWS::ApiGateway::Method"):
        kind = str(properties.get("AuthorizationType", "NONE"))
        if kind == "JWT":
            return ("sam local does not ask its authorizer, and lets everybody in; the gateway asks it",)
        if kind in ("AWS_IAM", "COGNITO_USER_POOLS"):
            return (f"neither sam local nor the gateway checks {kind}: both let everybody in",)
    return ()


def _deploy(cloudformation: Any, stack: str, template: str) -> Mapping[str, str]:
    """Create or update a stack; return its outputs. A stack that fails is deleted."""
    asked: dict[str, Any] = {"StackName": stack, "TemplateBody": template, "Capabilities": _CAPABILITIES}
    try:
        cloudformation.create_stack(**asked)
    except cloudformation.exceptions.AlreadyExistsException:
        try:
            cloudformation.update_stack(**asked)
        except ClientError as error:
            if "No updates" not in str(error):
                raise
    described = _settled(cloudformation, stack)
    if described["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        reason = _reason(cloudformation, stack)
        cloudformation.delete_stack(StackName=stack)
        raise NotMadeError(reason)
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _settled(cloudformation: Any, stack: str) -> Mapping[str, Any]:
    """Return the stack once nothing happens to it any more."""
    deadline = time.monotonic() + _SECONDS
    while True:
        described: Mapping[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not described["StackStatus"].endswith("_IN_PROGRESS"):
            return described
        if time.monotonic() > deadline:
            raise NotMadeError(f"it is not made after {_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _reason(cloudformation: Any, stack: str) -> str:
    """Return what CloudFormation says of the first resource that failed."""
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]  # the newest first
    reasons = [
        event["ResourceStatusReason"]
        for event in events
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
    ]
    return str(reasons[-1]).rstrip(".") if reasons else "CloudFormation gives no reason"
