"""GET /health says that the service runs, GET /health/ready that its backing services do."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response

from lambda_http import json_text
from lambda_http.problem import Problem
from shopping_bot import deadline
from shopping_bot.extensions import extensions
from shopping_bot.observability import log_failure

TIMEOUT_SECONDS = 2.0
# One that has not answered by then is down; a client of AWS tries for longer.
LONGEST_SECONDS = 4.0
# Without these no customer gets an answer that is worth something. Without Redis there is no memory, without DynamoDB
# no live stock, and both are said in the answer.
REQUIRED = frozenset({"anthropic", "elasticsearch", "secretsmanager"})

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def read_health() -> Response:
    """Say that the service runs; touches no backing service."""
    return Response(json_text.dump({"status": "ok", "service": "shopbot"}), mimetype="application/json")


@blueprint.get("/health/ready")
def read_readiness() -> Response:
    """Say of each backing service whether it answers and how fast; 503 when one that is required does not."""
    states = _states(_probes())
    is_ready = all(state["status"] == "up" for state in states.values() if state["required"])
    report = {"status": "ready" if is_ready else "unavailable", "service": "shopbot", "backing_services": states}
    headers = {"Cache-Control": "no-store"}
    return Response(json_text.dump(report), 200 if is_ready else 503, headers, mimetype="application/json")


def _probes() -> dict[str, Callable[[], object]]:
    from shopping_bot.backends.claude import KEY

    each = extensions()
    return {
        "anthropic": lambda: each.claude.reach(TIMEOUT_SECONDS),
        "dynamodb": lambda: each.inventory.quantities(["readiness-probe"], deadline.current()),
        "elasticsearch": lambda: each.product_index.reach(TIMEOUT_SECONDS),
        # A write: a server that is a replica now, after a failover, answers a PING as well.
        "redis": lambda: each.redis.prove_write(deadline.current()),
        "secretsmanager": lambda: each.secrets.get(KEY),
    }


def _states(probes: dict[str, Callable[[], object]]) -> dict[str, dict[str, Any]]:
    """Return the state of each backing service, all asked at the same time."""
    from concurrent.futures import ThreadPoolExecutor, wait

    pool = ThreadPoolExecutor(len(probes), thread_name_prefix="readiness")
    futures = {
        name: pool.submit(contextvars.copy_context().run, _examine, name, probe) for name, probe in probes.items()
    }
    wait(futures.values(), LONGEST_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    return {
        name: future.result() if future.done() else _state(name, LONGEST_SECONDS, "no answer in time")
        for name, future in futures.items()
    }


def _examine(name: str, probe: Callable[[], object]) -> dict[str, Any]:
    from lambda_http.json_secret import SecretError
    from shopping_bot.backends import BackingServiceError

    started = time.perf_counter()
    reason = None
    try:
        probe()
    except BackingServiceError as error:
        reason = error.reason
    except SecretError as error:
        reason = str(error)
    except Problem as error:
        reason = error.detail
    except Exception as error:
        log_failure("A readiness probe failed", error, backing_service=name)
        reason = "the probe failed"
    return _state(name, time.perf_counter() - started, reason)


def _state(name: str, seconds: float, reason: str | None) -> dict[str, Any]:
    state: dict[str, Any] = {
        "status": "down" if reason else "up",
        "required": name in REQUIRED,
        "latency_ms": round(seconds * 1000, 1),
    }
    return {**state, "reason": reason} if reason else state
