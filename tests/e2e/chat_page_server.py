"""A fake for the shopbot behind its chat page: canned answers of every kind, at once, with no backing service.

`python -m tests.e2e.chat_page_server` serves it for work on the page; the page is read anew for every request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from sam_template.repository import REPOSITORY

PAGE = REPOSITORY / "shopbot_function/shopping_bot/templates/chat.html"
CATALOG = REPOSITORY / "sample_data/catalog.json"
SESSION = "stub-session"
POLICY = (
    "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
KINDS = ("Snacks", "Breakfast", "Skin care")
FOUND = (
    "These are vegan and under ₹100. The ragi chips are baked, not fried; two packets of the tapioca chips are left."
)
Body = dict[str, Any]


@dataclass
class Reply:
    """One canned answer; `held` keeps it back until the test sets it."""

    body: Body
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    held: threading.Event | None = None


def inline_blocks(page: str) -> dict[str, list[str]]:
    """Return what stands between the tags of the page's styles and scripts."""
    return {tag: re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page, re.DOTALL) for tag in ("style", "script")}


def content_security_policy(page: str) -> str:
    """Return the policy that admits the page's own style and script, and nothing else."""
    hashes = {tag: " ".join(map(_hash_source, blocks)) for tag, blocks in inline_blocks(page).items()}
    return POLICY.format(**hashes)


def _hash_source(block: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"


def answer(response_type: str, content: Body, **meta: Any) -> Body:
    """Return the body of an answer to POST /chat."""
    return {"session_id": SESSION, "response_type": response_type, "content": content, "meta": meta}


def problem(status: int, title: str, detail: str, **headers: str) -> Reply:
    """Return a refusal as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": "Zx9-stub-42"}
    return Reply(body, status, {"content-type": "application/problem+json", **headers})


def products(*skus: str, **changed: Any) -> list[Body]:
    """Return products of the sample catalogue as the service shows them."""
    catalog = {product["sku"]: product for product in json.loads(CATALOG.read_text())}
    return [{**catalog[sku], "in_stock": catalog[sku]["stock"] > 0, **changed} for sku in skus]


def canned(message: str) -> Reply:
    """Return what the fake says to `message`."""
    match message.lower():
        case "hi":
            return Reply(answer("casual", {"message": "Hello! What may I find for you?"}))
        case "refund":
            return Reply(answer("support_related", {"message": "For refunds, please write to support@shop.example."}))
        case "show me something":
            options = [{"label": label, "value": f"show me {label.lower()}"} for label in KINDS]
            return Reply(answer("ask_user", {"question": "Gladly! What kind of thing?", "options": options}))
        case "busy":
            content = {"message": "I am still answering your previous message."}
            return Reply(answer("processing", content), 202, {"retry-after": "1"})
        case "down":
            return problem(503, "Service Unavailable", "The assistant is busy just now; try again shortly.")
        case _:
            return Reply(answer("final_answer", found()))


def found() -> Body:
    """Return a final answer: in stock, two left and sold out."""
    return {
        "summary_message": FOUND,
        "products": products("CHIPS-RAGI-100G", "CHIPS-BEET-80G", "CHIPS-TAPIOCA-150G", "NAMKEEN-CHANA-200G"),
        "quick_replies": [{"label": "Cheaper ones", "value": "cheaper ones"}, "Only without palm oil"],
    }


class ChatPageServer(ThreadingHTTPServer):
    """Serves the page and canned answers, at the root and under any stage path; keeps what was asked."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.replies: list[Reply] = []
        self.history_reply: Reply | None = None
        self.received: list[tuple[str, str, Body]] = []
        self.turns: list[Body] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def asked(self, method: str, path: str) -> list[Body]:
        """Return the bodies (queries, of a GET) of the requests for `path`, the oldest first."""
        return [body for its_method, its_path, body in self.received if (its_method, its_path) == (method, path)]

    def chat(self, request: Body) -> Reply:
        """Answer one message: with the next reply of the test, or with a canned one."""
        reply = self.replies.pop(0) if self.replies else canned(request["message"])
        if reply.held:
            reply.held.wait(30)
        if reply.status == 200:
            said = {name: reply.body.get(name) for name in ("response_type", "content")}
            self.turns += [
                {"role": "user", "content": request["message"], "at": "2026-11-20T10:05:00Z"},
                {"role": "assistant", "content": said, "at": "2026-11-20T10:05:02Z"},
            ]
        return reply

    def history(self) -> Reply:
        """Answer with what was said."""
        if self.history_reply:
            return self.history_reply
        if not self.turns:
            return problem(404, "Not Found", "There is no such conversation.")
        return Reply({"session_id": SESSION, "turns": self.turns})


class _Handler(BaseHTTPRequestHandler):
    server: ChatPageServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.server.received.append(("GET", address.path, query))
        if address.path.endswith("/chat/ui"):
            page = PAGE.read_text()
            policy = {"content-security-policy": content_security_policy(page)}
            self._send(200, {"content-type": "text/html; charset=utf-8", **policy}, page.encode())
        elif address.path.endswith(f"/chat/{SESSION}"):
            self._reply(self.server.history())
        else:
            self._reply(problem(404, "Not Found", f"There is nothing at {address.path}."))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append(("POST", self.path, request))
        if self.path.endswith("/reset"):
            self.server.turns.clear()
            self._reply(Reply({"status": "reset"}))
        else:
            self._reply(self.server.chat(request))

    def _reply(self, reply: Reply) -> None:
        self._send(reply.status, {"content-type": "application/json", **reply.headers}, json.dumps(reply.body).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


if __name__ == "__main__":
    with ChatPageServer(int(sys.argv[1]) if len(sys.argv) > 1 else 8080) as served:
        print(f"{served.url}/chat/ui  (say: hi, refund, show me something, busy, down, or anything)")
        threading.Event().wait()
