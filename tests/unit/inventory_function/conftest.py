"""The inventory handler without any backing service."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Send any event to the handler; API keys are not required, and no AWS can be reached."""
    monkeypatch.setenv("REQUIRE_API_KEY", "false")
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)

    def send(event: Any, context: Any = None) -> Answer:
        from app.lambda_handler import lambda_handler

        answer = lambda_handler(event, context)
        raw = answer["body"]
        return Answer(
            answer["statusCode"],
            answer.get("headers") or {name: values[0] for name, values in answer["multiValueHeaders"].items()},
            base64.b64decode(raw) if answer["isBase64Encoded"] else raw.encode(),
        )

    return send


@pytest.fixture
def request_event() -> Callable[..., dict[str, Any]]:
    """Make an HTTP API event, payload 2.0."""

    def make(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "shop.example", **{name.replace("_", "-"): value for name, value in headers.items()}},
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"},
                "requestId": "id-1",
                "stage": "$default",
            },
            "body": body,
            "isBase64Encoded": False,
        }

    return make
