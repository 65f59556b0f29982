"""A shop of a few lines that answers as the real one does, until it is told otherwise."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pipeline.smoke.checks import ROUTES

KEY = "s3cret-key"
PROBLEM = {"content-type": "application/problem+json"}
Reply = tuple[int, Mapping[str, str], Any]


def refused(status: int) -> Reply:
    return status, PROBLEM, {"detail": "No.", "request_id": "1"}


class FakeShop:
    """Serves on a port of its own. `instead` maps "METHOD /path" to what is answered in place of the right thing.

    `items` is what was written and not deleted.
    """

    def __init__(self, instead: Mapping[str, Reply] | None = None, *, needs_key: bool = True) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self._instead = dict(instead or {})
        self._needs_key = needs_key
        self._done: set[str] = set()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                path = self.path.partition("?")[0]
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, sent, content = shop.reply(self.command, path, headers, json.loads(body) if body else None)
                data = (
                    content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
                )
                self.send_response(status)
                for name, value in {
                    "content-type": "application/json",
                    **sent,
                    "content-length": str(len(data)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = do_OPTIONS = answer  # noqa: N815 (http.server's names)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        known_path = "/inventory/{sku}" if path.startswith("/inventory/SMOKE") else path
        known_path = "/file" if path.startswith("/file/") else known_path
        known_path = "/inventory/{sku}/adjustments" if path.endswith("/adjustments") else known_path
        instead = self._instead.get(f"{method} {known_path}")
        is_write = path.startswith("/inventory") and method in ("POST", "DELETE")
        if is_write and self._needs_key and headers.get("x-api-key") != KEY:
            return instead or refused(401)
        right = self._right(f"{method} {known_path}", path, headers, body)
        return instead or right

    def _right(self, route: str, path: str, headers: Mapping[str, str], body: Any) -> Reply:
        sku = path.split("/")[2] if path.count("/") >= 2 else ""
        match route:
            case "GET /":
                return 200, {}, {"status": "ok", "service": "inventory"}
            case "GET /health":
                return 200, {}, {"status": "ok", "service": "shopbot"}
            case "GET /health/ready":
                return 200, {}, {"status": "ready", "backing_services": {"redis": {"status": "up"}}}
            case "GET /openapi.json":
                return 200, {}, {"paths": {route: {} for route in ROUTES}}
            case "POST /inventory" if not body:
                return refused(422)
            case "POST /inventory":
                self.items[body["sku"]] = body
                return 201, {"location": f"/inventory/{body['sku']}"}, {"status": "created"}
            case "GET /inventory/{sku}" if sku not in self.items:
                return refused(404)
            case "GET /inventory/{sku}":
                same = headers.get("if-none-match") == '"1"'
                return (304, {}, None) if same else (200, {"etag": '"1"'}, self.items[sku])
            case "POST /inventory/{sku}/adjustments":
                if headers["idempotency-key"] not in self._done:
                    self._done.add(headers["idempotency-key"])
                    self.items[sku]["qty"] += body["delta"]
                return 200, {}, self.items[sku]
            case "DELETE /inventory/{sku}":
                self.items.pop(sku, None)
                return 200, {}, {"status": "deleted", "sku": sku}
            case "GET /inventory":
                return refused(422)
            case "POST /products/search":
                return 200, {}, {"products": [{}], "returned": 1, "total_hits": 9, "degraded": []}
            case "POST /chat":
                return 200, {}, {"session_id": "s", "response_type": "casual", "meta": {"degraded": []}}
            case "GET /chat/ui":
                return 200, {"content-type": "text/html; charset=utf-8"}, b"<!doctype html><html></html>"
            case "OPTIONS /inventory":
                allowed = {"access-control-allow-origin": "*", "access-control-allow-methods": "GET,POST"}
                return 204, allowed, None
        return refused(404)
