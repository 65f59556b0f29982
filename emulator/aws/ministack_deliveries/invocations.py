"""Invocations of functions: those of the emulator are posted to it, and mappings are refused that AWS refuses."""

from __future__ import annotations

import contextvars
import json
import urllib.parse
from typing import Any

from .forwarding import answer_of, forwards_to, post
from .permissions import unreadable, unwritable

_target: contextvars.ContextVar[str] = contextvars.ContextVar("target", default="")
"""The ARN, alias included, that an asynchronous event is for."""


def change_lambda(lambda_svc: Any) -> None:
    """Have invocations of the emulator's functions posted, and mappings checked before they are made."""
    invoke, execute, run, create = (
        lambda_svc.invoke_async_with_retry,
        lambda_svc._execute_function_with_config_scope,  # noqa: SLF001 (here and below: no public way)
        lambda_svc._execute_function_warm,  # noqa: SLF001
        lambda_svc._create_esm,  # noqa: SLF001
    )

    def invoke_asynchronously(func: dict[str, Any], event: Any) -> None:
        config = func.get("config") or func
        url = forwards_to(config)
        if not url:
            invoke(func, event)
            return
        qualifier = (_target.get() or config["FunctionArn"]).partition(":function:")[2].partition(":")[2]
        query = f"?Qualifier={urllib.parse.quote(qualifier)}" if qualifier else ""
        post(url + query, json.dumps(event).encode(), {"X-Amz-Invocation-Type": "Event"})

    def execute_function(func: dict[str, Any], event: Any) -> dict[str, Any]:
        if not _target.get():
            return execute(func, event)  # type: ignore[no-any-return]
        invoke_asynchronously(func, event)
        return {"body": None}

    def run_function(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        config = func.get("config") or func
        url = forwards_to(config)
        return answer_of(url, event, int(config["Timeout"])) if url else run(func, event, request_id)

    def create_mapping(data: dict[str, Any]) -> Any:
        return unreadable(lambda_svc, data) or unwritable(lambda_svc, data) or create(data)

    lambda_svc.invoke_async_with_retry = invoke_asynchronously
    lambda_svc._execute_function_with_config_scope = execute_function  # noqa: SLF001
    lambda_svc._execute_function_warm = run_function  # noqa: SLF001
    lambda_svc._create_esm = create_mapping  # noqa: SLF001


def deliver_for(target: str, deliver: Any, *given: Any) -> None:
    """Call `deliver(*given)`, in which functions are invoked asynchronously."""
    token = _target.set(target)
    try:
        deliver(*given)
    finally:
        _target.reset(token)
