"""Whatever is in an event, the answer is no failure of the service; what is no HTTP event is refused as that."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from shopping_bot.backends.completion import Completion

from tests.unit.lambda_http.damaged_events import answers_to_damaged_events
from tests.unit.shopbot_function.conftest import Shop

FORMATS = {"headers", "multiValueHeaders"}


def test_damaged_events_are_answered_or_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from lambda_handler import lambda_handler

    hello = Completion([{"type": "text", "text": "Hello."}], "end_turn")
    monkeypatch.setattr(shop.claude, "complete", lambda **_: hello)
    statuses: Counter[int | None] = Counter()
    for event, answer in answers_to_damaged_events("shopbot", lambda_handler):
        status = answer and answer["statusCode"]
        statuses[status] += 1
        assert status is None or 200 <= status < 500 or (status == 503 and "/health/ready" in repr(event)), repr(event)[
            :2000
        ]
        if answer:
            json.dumps(answer).encode()
            assert FORMATS & set(answer)
    assert {None, 200, 400, 404, 405, 415} <= set(statuses), statuses
