from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.claude import Claude
from shopping_bot.backends.elasticsearch import ProductIndex
from shopping_bot.backends.inventory import Inventory
from shopping_bot.backends.redis import RedisConnection
from shopping_bot.routes import health

from lambda_http.json_secret import JsonSecret, SecretError


@pytest.fixture
def ready(
    call: Callable[..., Any], request_event: Callable[..., Any], shop: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    import lambda_handler

    application = lambda_handler.application
    application.extensions["shopping_bot"]._secrets = JsonSecret(lambda: {"ANTHROPIC_API_KEY": "s3cr3t"}, print)
    for name in ("TABLE_NAME", "ANTHROPIC_BASE_URL", "CLAUDE_MODEL", "ES_URL", "ES_INDEX"):
        monkeypatch.setitem(application.config, name, "x")
    for owner, method in ((Claude, "reach"), (ProductIndex, "reach"), (Inventory, "quantities")):
        monkeypatch.setattr(owner, method, lambda *_: None)
    monkeypatch.setattr(RedisConnection, "prove_write", lambda *_: None)
    return lambda: call(request_event("GET", "/health/ready"))


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: Any) -> None:
        raise error

    return fail


def test_all_is_well(ready: Callable[[], Any]) -> None:
    answer = ready()

    assert (answer.status, answer.json["status"]) == (200, "ready")
    assert set(answer.json["backing_services"]) == {"anthropic", "dynamodb", "elasticsearch", "redis", "secretsmanager"}
    for state in answer.json["backing_services"].values():
        assert set(state) == {"status", "required", "latency_ms"}
    assert b"s3cr3t" not in answer.body


@pytest.mark.parametrize(
    ("owner", "method", "name", "status"),
    [
        (Claude, "reach", "anthropic", 503),
        (ProductIndex, "reach", "elasticsearch", 503),
        (Inventory, "quantities", "dynamodb", 200),
    ],
)
@pytest.mark.parametrize("error", [BackingServiceError("x", "no answer in time"), RuntimeError("s3cr3t")])
def test_a_backing_service_that_is_down(
    ready: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    name: str,
    status: int,
    error: Exception,
) -> None:
    monkeypatch.setattr(owner, method, failing(error))

    answer = ready()

    assert answer.status == status
    assert answer.json["backing_services"][name]["status"] == "down"
    assert b"s3cr3t" not in answer.body


def test_redis_is_not_required(ready: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RedisConnection, "prove_write", failing(BackingServiceError("redis", "ReadOnlyError")))

    answer = ready()

    assert (answer.status, answer.json["backing_services"]["redis"]["status"]) == (200, "down")


def test_a_refused_key_is_named(ready: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claude, "reach", failing(SecretError("ANTHROPIC_API_KEY", "is refused")))

    answer = ready()

    assert answer.status == 503
    assert answer.json["backing_services"]["anthropic"]["reason"] == "ANTHROPIC_API_KEY is refused"


def test_a_missing_setting_is_named(ready: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import lambda_handler

    monkeypatch.setitem(lambda_handler.application.config, "ES_URL", "")

    assert (
        ready()
        .json["backing_services"]["elasticsearch"]["reason"]
        .startswith("The service cannot do this now: ES_URL is not set")
    )


def test_a_backing_service_that_is_silent_does_not_hold_the_answer(
    ready: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(health, "LONGEST_SECONDS", 0.1)
    monkeypatch.setattr(ProductIndex, "reach", lambda *_: release.wait(5))

    answer = ready()
    release.set()

    assert answer.status == 503
    assert answer.json["backing_services"]["elasticsearch"]["reason"] == "no answer in time"
