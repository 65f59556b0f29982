"""Topics, buckets, rules, schedules and state machines, which need a permission to invoke a function."""

from __future__ import annotations

import contextvars
import json
from typing import Any

from .forwarding import forwards_to, function_of, lambda_service
from .invocations import deliver_for
from .permissions import INVOKE, role_may_invoke, service_may_invoke

_TICK_SECONDS = 1

_rule: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("rule")
"""The rule or the schedule whose targets are invoked."""
_execution_role: contextvars.ContextVar[str] = contextvars.ContextVar("execution_role", default="")
"""The role of the state machine that runs."""


def change_sns(sns: Any) -> None:
    """Have a topic ask the function's policy."""
    deliver = sns._deliver_to_lambda  # noqa: SLF001

    def deliver_to_function(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
        if service_may_invoke(endpoint, "sns.amazonaws.com", topic_arn):
            deliver_for(endpoint, deliver, endpoint, envelope, topic_arn, *rest)

    sns._deliver_to_lambda = deliver_to_function  # noqa: SLF001


def change_s3(s3: Any) -> None:
    """Have a bucket ask the function's policy."""
    deliver = s3._deliver_event_to_lambda  # noqa: SLF001

    def deliver_to_function(arn: str, payload: dict[str, Any], region: str) -> None:
        bucket = payload["Records"][0]["s3"]["bucket"]["arn"]
        if service_may_invoke(arn, "s3.amazonaws.com", bucket):
            deliver_for(arn, deliver, arn, payload, region)

    s3._deliver_event_to_lambda = deliver_to_function  # noqa: SLF001


def change_events(events: Any) -> None:
    """Have a rule ask the function's policy, and a schedule its role."""
    invoke_target, dispatch = events._invoke_target, events._dispatch_to_lambda  # noqa: SLF001

    def invoke_target_of(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        token = _rule.set({**rule, "TargetRole": target.get("RoleArn", "")})
        try:
            invoke_target(target, event, rule, view)
        finally:
            _rule.reset(token)

    def dispatch_to_function(arn: str, payload: str) -> None:
        rule = _rule.get()
        source = rule.get("Arn", "")
        if ":scheduler:" in source:
            is_allowed = role_may_invoke(arn, rule["TargetRole"], source)
        else:
            is_allowed = service_may_invoke(arn, "events.amazonaws.com", source)
        if is_allowed:
            deliver_for(arn, _send, arn, payload, dispatch)

    events._invoke_target = invoke_target_of  # noqa: SLF001
    events._dispatch_to_lambda = dispatch_to_function  # noqa: SLF001
    _ = events._SCHEDULER_TICK_INTERVAL  # noqa: SLF001 (that it is there)
    events._SCHEDULER_TICK_INTERVAL = _TICK_SECONDS  # noqa: SLF001


def _send(arn: str, payload: str, dispatch: Any) -> None:
    """Invoke an emulator's function asynchronously; `dispatch` any other."""
    func, config = function_of(arn)
    if config is None or not forwards_to(config):
        dispatch(arn, payload)
        return
    record = lambda_service()._execution_record_for_config(func, config)  # noqa: SLF001
    lambda_service().invoke_async_with_retry(record, json.loads(payload))


def change_scheduler(scheduler: Any) -> None:
    """Have schedules be looked at every second."""
    _ = scheduler._SCHEDULE_TICK_INTERVAL  # noqa: SLF001 (that it is there)
    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS  # noqa: SLF001


def change_step_functions(steps: Any) -> None:
    """Have an execution ask the role of its state machine."""
    run, call = steps._run_execution, steps._call_lambda  # noqa: SLF001

    def run_execution(arn: str) -> None:
        machine = steps._state_machines.get((steps._executions.get(arn) or {}).get("stateMachineArn")) or {}  # noqa: SLF001
        token = _execution_role.set(machine.get("roleArn", ""))
        try:
            run(arn)
        finally:
            _execution_role.reset(token)

    def call_function(reference: str, event: Any) -> Any:
        role, name = _execution_role.get(), reference.rpartition(":function:")[2]
        arn = lambda_service()._func_arn(name)  # noqa: SLF001
        if role and not role_may_invoke(arn, role, ""):
            session = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/execution"
            sentence = (
                f"User: {session} is not authorized to perform: {INVOKE} on resource: {arn} because no identity-based "
                f"policy allows the {INVOKE} action (Service: AWSLambda; Status Code: 403; Error Code: "
                "AccessDeniedException)"
            )
            raise steps._ExecutionError("Lambda.AWSLambdaException", sentence)  # noqa: SLF001
        return call(reference, event)

    steps._run_execution = run_execution  # noqa: SLF001
    steps._call_lambda = call_function  # noqa: SLF001
