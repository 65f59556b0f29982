"""The state and latency of each backing service, all asked at the same time."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from flask import current_app

from shopping_bot import extensions
from shopping_bot.backends.claude import BACKING_SERVICE, KEY
from shopping_bot.backends.http import BackingServiceError
from shopping_bot.backends.inventory import Inventory
from shopping_bot.backends.secrets import SecretError
from shopping_bot.observability import log_failure
from shopping_bot.problem import Problem

TIMEOUT_SECONDS = 2.0
# One that has not answered by then is down; a client of AWS tries for longer.
LONGEST_SECONDS = 4.0
# Without these no customer gets an answer that is worth something. Without Redis there is no memory, without DynamoDB
# no live stock, and both are said in the answer.
REQUIRED = frozenset({"anthropic", "elasticsearch", "secretsmanager"})


def check() -> dict[str, Any]:
    """Return `status` ready or unavailable, and the state of each backing service.

    A state is its status, its latency and whether it is required.
    """
    probes: dict[str, Callable[[], object]] = {
        BACKING_SERVICE: _probe_claude,
        "dynamodb": lambda: Inventory(_setting("TABLE_NAME")).quantities(["readiness-probe"]),
        "elasticsearch": _probe_elasticsearch,
        "redis": lambda: extensions.conversations().ping(),
        "secretsmanager": lambda: extensions.secrets().get(KEY),
    }
    pool = ThreadPoolExecutor(len(probes), thread_name_prefix="readiness")
    futures = {
        name: pool.submit(contextvars.copy_context().run, _examine, name, probe) for name, probe in probes.items()
    }
    wait(futures.values(), LONGEST_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    backing_services = {name: future.result() if future.done() else _silent(name) for name, future in futures.items()}
    is_ready = all(state["status"] == "up" for state in backing_services.values() if state["required"])
    return {
        "status": "ready" if is_ready else "unavailable",
        "service": "shopbot",
        "backing_services": backing_services,
    }


def _examine(name: str, probe: Callable[[], object]) -> dict[str, Any]:
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


def _silent(name: str) -> dict[str, Any]:
    return _state(name, LONGEST_SECONDS, "no answer in time")


def _state(name: str, seconds: float, reason: str | None) -> dict[str, Any]:
    state: dict[str, Any] = {
        "status": "down" if reason else "up",
        "required": name in REQUIRED,
        "latency_ms": round(seconds * 1000, 1),
    }
    return {**state, "reason": reason} if reason else state


def _probe_claude() -> None:
    from shopping_bot.backends.claude import Claude

    base_url, model = _setting("ANTHROPIC_BASE_URL"), _setting("CLAUDE_MODEL")
    Claude(base_url=base_url, model=model, secrets=extensions.secrets()).reach(TIMEOUT_SECONDS)


def _probe_elasticsearch() -> None:
    from shopping_bot.backends.elasticsearch import ProductIndex

    ProductIndex(_setting("ES_URL"), _setting("ES_INDEX"), extensions.secrets()).reach(TIMEOUT_SECONDS)


def _setting(name: str) -> str:
    value: str = current_app.config[name]
    if not value:
        raise BackingServiceError(name, f"{name} is not set")
    return value
