"""One execution environment behind proxies that fail on demand: what a request becomes of each combination of faults.

Each worker is a process of its own, so that many requests wait at the same time. All time limits are scaled by SCALE:
a stall ends sooner, and everything else stays as it is.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.aws.wire import WIRE as AWS_WIRE
from emulator.backing_services.anthropic import WIRE as ANTHROPIC_WIRE
from emulator.backing_services.elasticsearch import WIRE as ELASTICSEARCH_WIRE
from emulator.fault_injection import Fault, Proxy, RedisWire, Wire
from sam_template.repository import REPOSITORY
from tests.integration.shopbot_function.faults.cells import SLOW, UNTOUCHED, Cell, Outcome

SCALE = 0.4
LONGEST_SECONDS = 27.0
RECOVERY_SECONDS = 2.0
USER = "u1"
MESSAGE = "vegan chips under 100 rupees"
DEGRADED = {"anthropic", "elasticsearch", "inventory", "redis"}
_POLL_SECONDS = 0.1
_BEGIN_SECONDS = 60.0

_worker: Worker | None = None


def start(targets: Mapping[str, int], settings: Mapping[str, str]) -> None:
    """Make this process a worker: `targets` are the ports of the backing services."""
    global _worker
    _worker = Worker(targets, settings)


def run(cell: Cell) -> tuple[Cell, Outcome]:
    """Return what became of the request of `cell`."""
    assert _worker is not None
    return cell, _worker.run(cell)


class Worker:
    """The proxies of this process, and its application."""

    def __init__(self, targets: Mapping[str, int], settings: Mapping[str, str]) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        wires: dict[str, Wire] = {
            "anthropic": ANTHROPIC_WIRE,
            "elasticsearch": ELASTICSEARCH_WIRE,
            "redis": RedisWire(),
        }
        self._proxies = {
            name: Proxy("127.0.0.1", port, wires.get(name, AWS_WIRE), name=name) for name, port in targets.items()
        }
        for proxy in self._proxies.values():
            self._wait(proxy.start())
        urls = {name: f"http://127.0.0.1:{proxy.port}" for name, proxy in self._proxies.items()}
        os.environ.update(
            {
                **settings,
                "ANTHROPIC_BASE_URL": urls["anthropic"],
                "AWS_ENDPOINT_URL_DYNAMODB": urls["dynamodb"],
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": urls["secretsmanager"],
                "ES_URL": urls["elasticsearch"],
                "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(self._proxies["redis"].port),
            }
        )
        sys.path.insert(0, str(REPOSITORY / "shopbot_function"))
        _scale_time_limits()
        import lambda_handler

        self._handler = lambda_handler.lambda_handler
        self._application = lambda_handler.application

    def run(self, cell: Cell) -> Outcome:
        """Return what became of the request of `cell`, and how soon the next one is whole again."""
        from shopping_bot.extensions import Extensions

        # A new environment, which has answered a customer already.
        self._application.extensions["shopping_bot"] = Extensions(self._application.config)
        session_id = "" if cell.route in UNTOUCHED else self._begin()
        if "secretsmanager" in dict(cell.faults):
            # Another new one: the secret is read at the first need, and then not for five minutes.
            self._application.extensions["shopping_bot"].redis.close()
            self._application.extensions["shopping_bot"] = Extensions(self._application.config)
        with self._failing(cell):
            started = time.monotonic()
            answer = self._send(cell.route, session_id)
            seconds = (time.monotonic() - started) / SCALE
        ended = time.monotonic()
        while not self._is_whole(self._send(cell.route, self._another(cell.route, session_id))):
            if time.monotonic() - ended > 2 * RECOVERY_SECONDS:
                break
            time.sleep(_POLL_SECONDS)
        recovery = time.monotonic() - ended
        self._application.extensions["shopping_bot"].redis.close()
        return Outcome(_shown(answer), seconds, recovery, tuple(_mistakes(answer, seconds, recovery, cell)))

    def _begin(self) -> str:
        """Return the id of a conversation that has begun."""
        end = time.monotonic() + _BEGIN_SECONDS
        while not self._is_whole(answer := self._send("POST /chat", None)):
            # Who ran the matrix may be gone, and the backing services with it.
            assert time.monotonic() < end, f"no conversation begins: {answer['body']}"
            time.sleep(_POLL_SECONDS)
        return str(_body(answer)["session_id"])

    def _another(self, route: str, session_id: str) -> str:
        """Return a conversation that is there for `route`, which may have deleted the first one."""
        if route not in {"GET /chat/{id}", "DELETE /chat/{id}"}:
            return session_id
        answer = self._send("POST /chat", None)
        return str(_body(answer)["session_id"]) if self._is_whole(answer) else session_id

    @contextlib.contextmanager
    def _failing(self, cell: Cell) -> Iterator[None]:
        for name, fault in cell.faults:
            text = f"slow:{round(SLOW[name] * SCALE)}" if fault == "slow" else fault
            self._wait(self._proxies[name].set_fault(Fault.parse(text)))
        try:
            yield
        finally:
            for name, _ in cell.faults:
                self._wait(self._proxies[name].set_fault(Fault.parse("none")))

    def _send(self, route: str, session_id: str | None) -> dict[str, Any]:
        method, _, path = route.partition(" ")
        body = {
            "/chat": {"user_id": USER, "message": MESSAGE, "session_id": session_id},
            "/products/search": {"query": MESSAGE},
            "/reset": {"user_id": USER, "session_id": session_id},
        }.get(path)
        path = path.replace("{id}", str(session_id))
        answer: dict[str, Any] = self._handler(
            {
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": f"user_id={USER}",
                "headers": {"host": "shop.example"},
                "requestContext": {"http": {"method": method, "path": path}, "requestId": "id", "stage": "$default"},
                "body": json.dumps(body) if body else None,
                "isBase64Encoded": False,
            },
            None,
        )
        return answer

    def _is_whole(self, answer: dict[str, Any]) -> bool:
        if answer["statusCode"] != 200:
            return False
        body = _body(answer)
        states = body.get("backing_services", {}).values()
        return not _degraded(body) and all(state["status"] == "up" for state in states)

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


def _scale_time_limits() -> None:
    from shopping_bot import deadline, extensions
    from shopping_bot.backends import claude, elasticsearch, http, inventory, redis
    from shopping_bot.chat import bot_core, service, tools
    from shopping_bot.routes import health

    from lambda_http import aws_clients

    for module, *names in (
        (aws_clients, "CONNECT_TIMEOUT_SECONDS", "READ_TIMEOUT_SECONDS"),
        (bot_core, "SHORTEST_CALL_SECONDS"),
        (claude, "CALL_TIMEOUT_SECONDS", "SHORTEST_CALL_SECONDS", "_FIRST_PAUSE_SECONDS", "_LONGEST_PAUSE_SECONDS"),
        (deadline, "LONGEST_ANSWER_SECONDS"),
        (elasticsearch, "SEARCH_TIMEOUT_SECONDS"),
        (extensions, "_LONGEST_SECRET_SECONDS"),
        (health, "TIMEOUT_SECONDS", "LONGEST_SECONDS"),
        (http, "CONNECT_TIMEOUT_SECONDS"),
        (inventory, "CALL_SECONDS"),
        (redis, "CONNECT_TIMEOUT_SECONDS", "READ_TIMEOUT_SECONDS"),
        (service, "_WRITING_SECONDS"),
        (tools, "SEARCH_SECONDS"),
    ):
        for name in names:
            setattr(module, name, getattr(module, name) * SCALE)
    margin = deadline.MARGIN_SECONDS * SCALE
    assert deadline.Deadline.from_context.__func__.__kwdefaults__  # type: ignore[attr-defined]
    deadline.Deadline.from_context.__func__.__kwdefaults__["margin_seconds"] = margin  # type: ignore[attr-defined]


def _body(answer: Mapping[str, Any]) -> Any:
    raw = answer["body"]
    content = base64.b64decode(raw) if answer["isBase64Encoded"] else raw
    return json.loads(content) if "json" in answer["headers"]["content-type"] else {}


def _degraded(body: Mapping[str, Any]) -> list[str]:
    found: list[str] = body.get("degraded") or body.get("meta", {}).get("degraded") or []
    return found


def _shown(answer: Mapping[str, Any]) -> str:
    """Return the status, and what is said of it: who was missing, or whether to come back."""
    body, status = _body(answer), str(answer["statusCode"])
    if answer["statusCode"] == 503 and "backing_services" not in body:
        return f"{status}, come back" if "retry-after" in answer["headers"] else status
    down = [name for name, state in body.get("backing_services", {}).items() if state["status"] == "down"]
    missing = [*_degraded(body), *down]
    return f"{status} without {', '.join(missing)}" if missing else status


def _mistakes(answer: Mapping[str, Any], seconds: float, recovery: float, cell: Cell) -> Iterator[str]:
    """Yield what no combination of faults excuses."""
    body, status = _body(answer), answer["statusCode"]
    if status not in {200, 503}:
        yield f"status {status}"
    is_problem = answer["headers"]["content-type"] == "application/problem+json" and body["detail"].endswith(".")
    if status >= 400 and cell.route != "GET /health/ready" and not is_problem:
        yield "no problem with a sentence"
    if not set(_degraded(body)) <= DEGRADED:
        yield f"degraded {_degraded(body)}"
    if seconds >= LONGEST_SECONDS:
        yield f"it took {seconds:.1f} s"
    if recovery > RECOVERY_SECONDS:
        yield f"it was whole again after {recovery:.1f} s"
