"""Writes whose answers are lost: DynamoDB makes the change, and answers later than the service waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from app import retries

from emulator.control import ask
from emulator.project.paths import RunningEmulator
from lambda_http import aws_clients

Send = Callable[..., Any]
TEA = {"name": "Assam tea", "qty": 5}
Lost = Callable[[], Any]


@pytest.fixture
def faulty(running: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Make AWS answer later than the service waits, or not at all; both shortened, for the test's sake."""
    aws_clients.forget()  # a client keeps the time limit that it was made with
    monkeypatch.setattr(aws_clients, "READ_TIMEOUT_SECONDS", 0.3)
    for function in (retries.write_with_retries, retries.read_with_retries):
        defaults: Any = function.__kwdefaults__
        monkeypatch.setitem(defaults, "budget", 0.5)

    @contextmanager
    def faulty(fault: str) -> Iterator[None]:
        asyncio.run(ask(running, "fault", f"aws={fault}"))
        try:
            yield
        finally:
            asyncio.run(ask(running, "fault", "aws=none"))

    yield faulty
    aws_clients.forget()


WRITES: dict[str, tuple[str, str, Any, dict[str, str], bool]] = {
    "create": ("POST", "/inventory", {"sku": "SKU", **TEA}, {}, True),
    "replace": ("PUT", "/inventory/SKU", {**TEA, "qty": 6}, {}, True),
    "replace on a condition": ("PUT", "/inventory/SKU", {**TEA, "qty": 6}, {"if-match": "*"}, False),
    "adjust": ("POST", "/inventory/SKU/adjustments", {"delta": 1}, {}, False),
    "adjust with a key": ("POST", "/inventory/SKU/adjustments", {"delta": 1}, {"idempotency-key": "k"}, True),
    "delete": ("DELETE", "/inventory/SKU", None, {}, True),
    "delete on a condition": ("DELETE", "/inventory/SKU", None, {"if-match": "*"}, False),
}


def write(name: str, sku: str) -> tuple[Any, ...]:
    method, path, body, headers, _ = WRITES[name]
    return method, path.replace("SKU", sku), body and {**body, **({"sku": sku} if "sku" in body else {})}, headers


@pytest.mark.parametrize("name", WRITES)
def test_a_change_that_may_have_been_made_is_not_said_to_be_undone(
    inventory: Send, faulty: Callable[[str], Any], sku: str, name: str
) -> None:
    if name != "create":
        inventory("PUT", f"/inventory/{sku}", TEA)
    with faulty("slow:600"):
        lost = inventory(*write(name, sku))

    assert (lost.status, lost.json["outcome"]) == (503, "unknown")
    assert "may have been made" in lost.json["detail"]
    is_repeatable = WRITES[name][-1]
    assert ("does no harm" in lost.json["detail"]) is is_repeatable
    assert ("retry-after" in lost.headers) is is_repeatable
    read = inventory("GET", f"/inventory/{sku}")
    assert read.status == (404 if name.startswith("delete") else 200)
    if is_repeatable:
        again = inventory(*write(name, sku))
        assert again.status == (201 if name == "create" else 200)
        assert inventory("GET", f"/inventory/{sku}").json.get("qty") == {
            "create": 5,
            "replace": 6,
            "adjust with a key": 6,
        }.get(name)


@pytest.mark.parametrize("name", WRITES)
def test_a_change_that_was_certainly_not_made_is_said_to_be_none(
    inventory: Send, faulty: Callable[[str], Any], sku: str, name: str
) -> None:
    if name != "create":
        inventory("PUT", f"/inventory/{sku}", TEA)
    aws_clients.dynamodb().close()
    with faulty("refuse"):
        refused = inventory(*write(name, sku))

    assert (refused.status, refused.json["outcome"], refused.headers["retry-after"]) == (503, "not_applied", "1")
    assert "nothing was changed" in refused.json["detail"]
    read = inventory("GET", f"/inventory/{sku}")
    assert (read.status, read.json.get("qty")) == ((404, None) if name == "create" else (200, 5))


def test_a_read_says_nothing_of_changes(inventory: Send, faulty: Callable[[str], Any], sku: str) -> None:
    inventory("PUT", f"/inventory/{sku}", TEA)
    for fault in ("slow:600", "refuse"):
        with faulty(fault):
            answer = inventory("GET", f"/inventory/{sku}")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "outcome" not in answer.json
