"""The shopbot's handler without any backing service, and a small HTTP server that answers what a test tells it."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from shopping_bot.backends import http
from werkzeug.datastructures import Headers

from tests.unit.shopbot_function.fakes import FakeConversations, FakeInventory, FakeSearch, ScriptedClaude, session_ids


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Shop:
    """The application's extensions, all fakes."""

    claude: ScriptedClaude = field(default_factory=ScriptedClaude)
    search: FakeSearch = field(default_factory=FakeSearch)
    stock: FakeInventory = field(default_factory=FakeInventory)
    conversations: FakeConversations = field(default_factory=FakeConversations)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    import lambda_handler
    from shopping_bot.chat.bot_core import BotCore
    from shopping_bot.extensions import Extensions

    shop = Shop()
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    extensions: Any = Extensions(lambda_handler.application.config)
    extensions._session_ids = session_ids()
    extensions._conversations = shop.conversations
    extensions._product_search = shop.search
    extensions._bot_core = BotCore(shop.claude, shop.search, shop.stock)  # type: ignore[arg-type]
    monkeypatch.setitem(lambda_handler.application.extensions, "shopping_bot", extensions)
    return shop


@pytest.fixture
def call() -> Callable[..., Answer]:
    """Send any event to the handler."""

    def send(event: Any, context: Any = None) -> Answer:
        from lambda_handler import lambda_handler

        answer = lambda_handler(event, context)
        raw = answer["body"]
        return Answer(
            answer["statusCode"],
            Headers(answer.get("headers") or answer["multiValueHeaders"]),
            base64.b64decode(raw) if answer["isBase64Encoded"] else raw.encode(),
        )

    return send


@pytest.fixture
def request_event() -> Callable[..., dict[str, Any]]:
    """Make an HTTP API event, payload 2.0; a body that is no string is sent as JSON."""

    def make(method: str, path: str, body: Any = None, query: str = "", **headers: str) -> dict[str, Any]:
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": "shop.example", **{name.replace("_", "-"): value for name, value in headers.items()}},
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"},
                "requestId": "id-1",
                "stage": "$default",
            },
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
        }

    return make


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logger writes."""
    from shopping_bot.observability import logger

    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


class BackingService:
    """An HTTP server: gives its `answers` one after the other, the last for ever, and remembers the `requests`."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        backing_service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                backing_service.requests.append((self.command, self.path, headers, content))
                answers = backing_service.answers
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer == "drop":
                    self.close_connection = True
                    return
                if callable(answer):
                    answer = answer(self)
                    if answer is None:
                        return
                status, headers, body = answer
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_POST = do_GET  # noqa: N815  the name that the server looks for

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def json(self, index: int = -1) -> Any:
        return json.loads(self.requests[index][3])


@pytest.fixture
def backing_service() -> Iterator[BackingService]:
    backing_service = BackingService()
    thread = threading.Thread(target=backing_service.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield backing_service
    http.forget()
    backing_service.server.shutdown()
    backing_service.server.server_close()
    thread.join()
