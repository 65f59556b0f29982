"""Logs, metrics and traces of each request: one line, one EMF record, never a message, a key or a path."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from flask import Flask, Response, g, request

from shopping_bot import deadline, request_metrics
from shopping_bot.request_metrics import RequestMetrics

if TYPE_CHECKING:
    from traceback import FrameSummary

logger = Logger()

_UNMATCHED = "unmatched"
_BACKING_SERVICES = ("anthropic", "dynamodb", "elasticsearch", "redis", "secretsmanager")
# Of one metric in one record (Amazon CloudWatch User Guide, "Embedded metric format specification").
_MAXIMUM_VALUES = 100
_MAXIMUM_FRAMES = 12


def install(application: Flask) -> None:
    """Make `application` give each request its id, and log and count it."""
    is_cold = True

    def begin() -> None:
        g.started = time.perf_counter()
        g.started_at = time.time()
        g.metrics = request_metrics.begin()
        context = request.environ.get("serverless.context")
        deadline.begin(context)
        event = request.environ.get("serverless.event") or {}
        g.request_id = event.get("requestContext", {}).get("requestId", "-")
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(
            correlation_id=g.request_id,
            function_request_id=getattr(context, "aws_request_id", None),
            cold_start=is_cold,
        )

    def record(response: Response) -> Response:
        nonlocal is_cold
        _record(_route(), response.status_code, g.metrics, is_cold=is_cold)
        is_cold = False
        return response

    application.before_request(begin)
    application.teardown_request(lambda _: deadline.end())
    application.after_request(record)


def request_id() -> str:
    """Return the id that API Gateway, the load balancer or Lambda gave to the request; "-" outside all of them."""
    identifier: str = g.get("request_id", "-")
    return identifier


def log_failure(message: str, error: BaseException, **fields: Any) -> None:
    """Log an exception that nobody expected: its type and where it came from.

    Never its own message: that may quote what a customer wrote or a backing service answered.
    """
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    frames = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in _frames(error)]
    cause = error.__cause__ or error.__context__
    logger.error(
        message,
        error=type(error).__name__,
        cause=type(cause).__name__ if cause else None,
        aws_error=code,
        stack=frames[-_MAXIMUM_FRAMES:],
        **fields,
    )


def _frames(error: BaseException) -> list[FrameSummary]:
    # Imported only now, as nothing else on the way of a request needs it.
    import traceback

    return list(traceback.extract_tb(error.__traceback__, limit=None))


def _route() -> str:
    return f"{request.method} {request.url_rule.rule}" if request.url_rule else _UNMATCHED


def _record(route: str, status: int, metrics: RequestMetrics, *, is_cold: bool) -> None:
    milliseconds = round((time.perf_counter() - g.started) * 1000, 3)
    logger.info(
        "Answered",
        route=route,
        status=status,
        duration_ms=milliseconds,
        backing_services=_summary(metrics),
        tool_calls=dict(metrics.tool_calls),
        tokens=dict(metrics.tokens),
        degraded=sorted(metrics.degraded),
    )
    _trace(route, metrics)
    # Without a namespace there is nowhere to send metrics to, and that must not fail a request.
    if not os.environ.get("POWERTOOLS_METRICS_NAMESPACE"):
        return
    emf = EphemeralMetrics()
    emf.add_dimension(name="route", value=route)
    counts: Mapping[str, int] = {
        "Requests": 1,
        "ClientErrors": int(400 <= status < 500),
        "ServerErrors": int(status >= 500),
        **({"ColdStarts": 1} if is_cold else {}),
        **({"DegradedAnswers": 1} if metrics.degraded else {}),
        **({"ToolCalls": metrics.tool_calls.total()} if metrics.tool_calls else {}),
        **_tokens(metrics),
    }
    for name, value in counts.items():
        emf.add_metric(name=name, unit=MetricUnit.Count, value=value)
    emf.add_metric(name="Latency", unit=MetricUnit.Milliseconds, value=milliseconds)
    for call in metrics.calls[:_MAXIMUM_VALUES]:
        if call.backing_service in _BACKING_SERVICES:
            name = f"{call.backing_service.capitalize()}Latency"
            emf.add_metric(name=name, unit=MetricUnit.Milliseconds, value=round(call.seconds * 1000, 3))
    emf.flush_metrics()
    # What an alarm watches is one series, without the route (ClaudeFailuresAlarm, ShopbotNewVersionFailuresAlarm in
    # template.yaml). Of an unexpected failure Lambda counts no error, because there is an answer.
    if metrics.failed_completions:
        _count("ClaudeFailures", metrics.failed_completions.total())
    # And by reason, for whoever looks why.
    for reason, times in metrics.failed_completions.items():
        _count("ClaudeFailures", times, reason=reason)
    if status == 500:
        _count("Failures", 1, version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"))


def _count(name: str, value: int, **dimensions: str) -> None:
    emf = EphemeralMetrics()
    for dimension, its_value in dimensions.items():
        emf.add_dimension(name=dimension, value=its_value)
    emf.add_metric(name=name, unit=MetricUnit.Count, value=value)
    emf.flush_metrics()


def _tokens(metrics: RequestMetrics) -> dict[str, int]:
    if not metrics.tokens:
        return {}
    written = metrics.tokens["output_tokens"]
    return {"TokensIn": metrics.tokens.total() - written, "TokensOut": written}


def _summary(metrics: RequestMetrics) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for call in list(metrics.calls):
        entry = summary.setdefault(call.backing_service, {"calls": 0, "failed": 0, "ms": 0.0})
        entry["calls"] += 1
        entry["failed"] += int(call.failed)
        entry["ms"] = round(entry["ms"] + call.seconds * 1000, 3)
    return summary


def _trace(route: str, metrics: RequestMetrics) -> None:
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    if "Sampled=1" in header and os.environ.get("AWS_XRAY_DAEMON_ADDRESS"):
        # Only now: a request that is not sampled pays for nothing but the line above.
        from shopping_bot import tracing

        tracing.send(header, os.environ["AWS_XRAY_DAEMON_ADDRESS"], route, g.started_at, metrics.calls)
