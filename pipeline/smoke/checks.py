"""What a deployment of the shop must do, one check each; what is written is taken away again.

Each check takes a Deployment and returns a remark, or "" when there is nothing to add. It raises UnexpectedError with
what was expected and what came.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from pipeline.smoke.client import Answer, Deployment, UnexpectedError, UnreachableError

ROUTES: Final = ("/inventory", "/inventory/{sku}", "/inventory/{sku}/adjustments", "/file/download/{filename}")
REPLIES: Final = ("ask_user", "final_answer", "casual", "support_related")
_PROBLEM: Final = "application/problem+json"
_PROPAGATION_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.25

Check = Callable[[Deployment], str]


def alive(shop: Deployment) -> str:
    """Check that both functions answer."""
    inventory = _of_status(shop.request("GET", "/"), 200).json()
    _expect(inventory.get("service") == "inventory", "the inventory at /", inventory)
    assistant = _of_status(shop.request("GET", "/health"), 200).json()
    _expect(assistant.get("service") == "shopbot", "the shopbot at /health", assistant)
    return ""


def ready(shop: Deployment) -> str:
    """Check that the shopbot's backing services answer."""
    answer = shop.request("GET", "/health/ready")
    report = answer.json()
    states = report.get("backing_services") if isinstance(report, dict) else None
    _expect(isinstance(states, dict), "the backing services' states", answer.described)
    assert isinstance(states, dict)  # noqa: S101 (expected above)
    down = sorted(name for name, state in states.items() if state.get("status") == "down")
    _expect(answer.status == 200, "200, every required backing service up", f"{answer.status}, down: {', '.join(down)}")
    return f"down, but not required: {', '.join(down)}" if down else ""


def described(shop: Deployment) -> str:
    """Check that the OpenAPI document names the routes."""
    document = _of_status(shop.request("GET", "/openapi.json"), 200).json()
    missing = [route for route in ROUTES if route not in document.get("paths", {})]
    _expect(not missing, "every route in the OpenAPI document", f"none for {', '.join(missing)}")
    return ""


def guarded(shop: Deployment) -> str:
    """Check that a write without the key is refused, wherever the shop is not a laptop's."""
    if not needs_key(shop):
        _expect(shop.is_local, "401 or 403 for a write without the key", "no error: anyone can write")
        return "a local shop asks for no key"
    return ""


def needs_key(shop: Deployment) -> bool:
    """Tell whether writes need the key. What is sent is no item, so that nothing is written either way."""
    answer = shop.request("POST", "/inventory", body={})
    _expect(answer.status in (401, 403, 422), "401, 403 or 422 for an empty item", answer.described)
    return answer.status != 422


def item_lives(shop: Deployment) -> str:
    """Check that an item is created, read, not sent again, adjusted once though asked twice, deleted."""
    if not shop.api_key and needs_key(shop):
        return "NOT CHECKED: writes need the key, and INVENTORY_API_KEY is not set"
    sku = f"SMOKE-{uuid.uuid4().hex[:16]}"
    path = f"/inventory/{sku}"
    try:
        _live(shop, sku, path)
    finally:
        with contextlib.suppress(UnreachableError):
            shop.request("DELETE", path, with_key=True, cleans=True)
    _of_status(shop.request("GET", path), 404)
    return ""


def _live(shop: Deployment, sku: str, path: str) -> None:
    item = {"sku": sku, "name": "Smoke test", "qty": 5, "price": 19.99}
    created = _of_status(shop.request("POST", "/inventory", body=item, with_key=True), 201)
    _expect(created.headers.get("location", "").endswith(path), f"a Location ending in {path}", created.described)
    read = _soon(lambda: shop.request("GET", path), 200)
    came = {name: read.json().get(name) for name in item}
    _expect(came == item, str(item), came)
    etag = read.headers.get("etag", "")
    _expect(bool(etag), "an ETag", "none")
    unchanged = _of_status(shop.request("GET", path, headers={"if-none-match": etag}), 304)
    _expect(not unchanged.body, "304 without a body", unchanged.described)
    once = {"idempotency-key": f"{sku}-1"}
    for _ in range(2):
        order = {"delta": -2}
        adjusted = shop.request("POST", f"{path}/adjustments", body=order, headers=once, with_key=True)
        quantity = _of_status(adjusted, 200).json().get("qty")
        _expect(quantity == 3, "a quantity of 3 after one adjustment of -2, sent twice", quantity)
    deleted = _of_status(shop.request("DELETE", path, with_key=True), 200).json()
    _expect(deleted == {"status": "deleted", "sku": sku}, f"{sku} deleted", deleted)


def error_response(shop: Deployment) -> str:
    """Check that the answer to a bad request is a problem document (RFC 9457)."""
    _problem(shop.request("GET", "/inventory?limit=none"), 422)
    return ""


def missing_file(shop: Deployment) -> str:
    """Check that a file that is not there is a 404 of the shop, not of S3."""
    _problem(shop.request("GET", f"/file/download/smoke-{uuid.uuid4().hex}.txt"), 404)
    return ""


def search(shop: Deployment) -> str:
    """Check that products are found."""
    answer = _of_status(shop.request("POST", "/products/search", body={"query": "chips"}), 200)
    found = answer.json()
    _expect(
        isinstance(found.get("products"), list) and found.get("returned") == len(found["products"]),
        "products, and how many they are",
        answer.described,
    )
    _expect(
        not found.get("degraded"), "no backing service missing", f"degraded: {', '.join(found.get('degraded', []))}"
    )
    return f"{found.get('total_hits')} hits"


def conversation(shop: Deployment) -> str:
    """Check that the assistant answers a greeting; the conversation is forgotten again."""
    user = f"smoke-{uuid.uuid4().hex}"
    answer = shop.request("POST", "/chat", body={"user_id": user, "message": "hi"})
    reply = _of_status(answer, 200).json()
    try:
        kind = reply.get("response_type")
        _expect(kind in REPLIES, f"a response_type of {', '.join(REPLIES)}", kind)
    finally:
        with contextlib.suppress(UnreachableError):
            shop.request("DELETE", f"/chat/{reply.get('session_id')}?user_id={user}", cleans=True)
    missing = reply.get("meta", {}).get("degraded", [])
    _expect(not missing, "no backing service missing", f"degraded: {', '.join(missing)}")
    return str(kind)


def chat_page(shop: Deployment) -> str:
    """Check that the chat page is HTML."""
    page = _of_status(shop.request("GET", "/chat/ui"), 200)
    kind = page.headers.get("content-type", "")
    _expect(kind.startswith("text/html") and b"<html" in page.body, "an HTML page", kind)
    return ""


def preflight(origin: str) -> Check:
    """Return the check that pages of `origin` may call the API (Fetch Standard, "CORS-preflight request")."""

    def preflight(shop: Deployment) -> str:
        asked = {"origin": origin, "access-control-request-method": "POST"}
        asked["access-control-request-headers"] = "content-type"
        answer = shop.request("OPTIONS", "/inventory", headers=asked)
        allowed = answer.headers.get("access-control-allow-origin")
        _expect(
            200 <= answer.status < 300 and allowed in ("*", origin),
            f"pages of {origin} allowed (--origin names another)",
            f"{answer.status} and access-control-allow-origin {allowed}",
        )
        methods = answer.headers.get("access-control-allow-methods", "").upper()
        _expect("POST" in methods or methods == "*", "POST among the allowed methods", methods or "none")
        return ""

    return preflight


def _problem(answer: Answer, status: int) -> None:
    _of_status(answer, status)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    _expect(kind == _PROBLEM, _PROBLEM, kind or "no content type")
    problem: Any = answer.json()
    _expect(bool(problem.get("detail")) and bool(problem.get("request_id")), "detail and request_id", answer.described)


def _of_status(answer: Answer, status: int) -> Answer:
    _expect(answer.status == status, str(status), answer.described)
    return answer


def _soon(request: Callable[[], Answer], status: int) -> Answer:
    """Return the answer once it has `status`: what was just written may take a moment to be read."""
    deadline = time.monotonic() + _PROPAGATION_SECONDS
    while (answer := request()).status == 404 and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return _of_status(answer, status)


def _expect(is_so: bool, expected: str, came: object) -> None:
    if not is_so:
        raise UnexpectedError(f"expected {expected}, came {came}")
