"""Logs and metrics of each request, by Powertools: one line and one EMF record, never a body, a key or a path."""

from __future__ import annotations

import functools
import logging
import os
import time

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_http.problem import INTERNAL_ERROR, MEDIA_TYPE, Problem

logger = Logger()

# It writes one line for each request as well, with the path in it.
logging.getLogger("mangum").setLevel(logging.WARNING)

_UNMATCHED = "unmatched"


class Observability:
    """ASGI middleware: gives the request its id, logs and counts it, and answers 500 for what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_cold = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; `aws.event` of the scope is what lambda_http.proxy_event prepared, if Lambda called."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        event = scope.get("aws.event")
        identifier = event["requestContext"]["requestId"] if event else "-"
        scope.setdefault("state", {})["request_id"] = identifier
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(
            correlation_id=identifier,
            function_request_id=getattr(scope.get("aws.context"), "aws_request_id", None),
            cold_start=self._is_cold,
        )
        status = 0

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        except Exception as error:
            _log_failure(error)
            if status:
                raise
            await _send_failure(identifier, send_and_note_status)
        _record(_route(scope), status, time.perf_counter() - started, is_cold=self._is_cold)
        self._is_cold = False


def _log_failure(error: Exception) -> None:
    # botocore's ClientError says which call failed and how; its other fields may hold what the caller sent.
    response = getattr(error, "response", None)
    logger.error(
        "The request failed",
        exc_info=error,
        aws_operation=getattr(error, "operation_name", None),
        aws_error=response.get("Error", {}).get("Code") if isinstance(response, dict) else None,
    )


async def _send_failure(identifier: str, send: Send) -> None:
    body = Problem(500, INTERNAL_ERROR).body(identifier)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _route(scope: Scope) -> str:
    template = getattr(scope.get("route"), "path_format", None)
    return f"{scope['method']} {template}" if template else _UNMATCHED


def _record(route: str, status: int, seconds: float, *, is_cold: bool) -> None:
    milliseconds = round(seconds * 1000, 3)
    logger.info("Answered", route=route, status=status, duration_ms=milliseconds)
    # Without a namespace there is nowhere to send metrics to, and that must not fail a request.
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    if not namespace:
        return
    metrics = _metrics(namespace, os.environ.get("POWERTOOLS_SERVICE_NAME"))
    metrics.add_dimension(name="route", value=route)
    metrics.add_metric(name="Latency", unit=MetricUnit.Milliseconds, value=milliseconds)
    metrics.add_metric(name="ClientErrors", unit=MetricUnit.Count, value=int(400 <= status < 500))
    metrics.add_metric(name="ServerErrors", unit=MetricUnit.Count, value=int(status >= 500))
    if is_cold:
        metrics.add_metric(name="ColdStarts", unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
    if status == 500:
        # Nobody expected it, and Lambda counts no error, because there is an answer: the alarm that takes a new version
        # back watches this series of the version (InventoryNewVersionFailuresAlarm in template.yaml).
        metrics.add_dimension(name="version", value=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"))
        metrics.add_metric(name="Failures", unit=MetricUnit.Count, value=1)
        metrics.flush_metrics()


@functools.cache
def _metrics(namespace: str, service: str | None) -> EphemeralMetrics:
    # One for all requests, which takes as long to make as to fill. It is flushed, and empty again, before the next
    # request has its turn.
    return EphemeralMetrics(namespace=namespace, service=service)
