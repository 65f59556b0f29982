from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from app import adjustments

Send = Callable[..., Any]


def put(inventory: Send, sku: str, qty: int) -> None:
    assert inventory("PUT", f"/inventory/{sku}", {"name": "Assam tea", "qty": qty}).status == 201


def adjustment(sku: str, delta: int, key: str | None = None) -> tuple[Any, ...]:
    headers = {} if key is None else {"idempotency-key": key}
    return "POST", f"/inventory/{sku}/adjustments", {"delta": delta}, headers


def adjust(inventory: Send, sku: str, delta: int, key: str | None = None) -> Any:
    return inventory(*adjustment(sku, delta, key))


@pytest.mark.parametrize("key", [None, "k1"])
def test_an_adjustment_answers_the_item(inventory: Send, sku: str, key: str | None) -> None:
    put(inventory, sku, 5)

    answer = adjust(inventory, sku, -2, key)

    assert answer.status == 200
    assert (answer.json["qty"], answer.json["version"]) == (3, 2)
    assert answer.json["updated_at"] > answer.json["created_at"]
    read = inventory("GET", f"/inventory/{sku}")
    assert read.json == answer.json
    assert read.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("key", [None, "k1"])
def test_stock_never_goes_below_zero_or_past_the_limit(inventory: Send, sku: str, key: str | None) -> None:
    assert adjust(inventory, sku, -1, key).status == 404
    put(inventory, sku, 5)

    below = adjust(inventory, sku, -6, key and "k2")
    above = adjust(inventory, sku, 1_000_000_000, key and "k3")

    assert (below.status, above.status) == (409, 409)
    assert "Only 5 of" in below.json["detail"]
    assert inventory("GET", f"/inventory/{sku}").json["qty"] == 5
    assert adjust(inventory, sku, -5, key and "k4").json["qty"] == 0


def test_a_replayed_key_changes_nothing(inventory: Send, sku: str) -> None:
    put(inventory, sku, 5)
    first = adjust(inventory, sku, -2, "order-1")

    replays = [adjust(inventory, sku, -2, "order-1") for _ in range(3)]

    assert [replay.status for replay in replays] == [200] * 3
    assert [replay.json for replay in replays] == [first.json] * 3
    assert inventory("GET", f"/inventory/{sku}").json == first.json


def test_a_replay_does_not_undo_what_came_between(inventory: Send, sku: str) -> None:
    put(inventory, sku, 5)
    adjust(inventory, sku, -2, "order-1")
    between = adjust(inventory, sku, 10)

    replay = adjust(inventory, sku, -2, "order-1")

    assert replay.json == between.json


def test_concurrent_replays_count_once(inventory: Send, together: Send, sku: str) -> None:
    put(inventory, sku, 100)

    answers = together([adjustment(sku, -3, "order-1")] * 16)

    assert {answer.status for answer in answers} == {200}
    assert inventory("GET", f"/inventory/{sku}").json["qty"] == 97


def test_a_reader_between_the_two_writes_of_an_adjustment_gets_the_entity_tag_that_stays(
    inventory: Send, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inventory, sku, 5)
    with monkeypatch.context() as crash:
        crash.setattr(adjustments, "complete", None)
        assert adjust(inventory, sku, -2, "order-1").status == 500

    between = inventory("GET", f"/inventory/{sku}")
    replay = adjust(inventory, sku, -2, "order-1")

    assert (between.json["qty"], between.json["version"]) == (3, 2)
    assert (replay.headers["etag"], replay.json) == (between.headers["etag"], between.json)
    item = {"name": "Assam tea", "qty": 9}
    assert inventory("PUT", f"/inventory/{sku}", item, {"if-match": between.headers["etag"]}).status == 200


def test_an_adjustment_that_another_one_overtakes_answers_the_item_as_it_stays(
    inventory: Send, sku: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inventory, sku, 5)
    with monkeypatch.context() as crash:
        crash.setattr(adjustments, "complete", None)
        adjust(inventory, sku, -1, "order-1")
        adjust(inventory, sku, -1, "order-2")

    replay = adjust(inventory, sku, -1, "order-1")

    assert (replay.status, replay.json["qty"], replay.json["version"]) == (200, 3, 3)
    assert inventory("GET", f"/inventory/{sku}").json == replay.json


def test_one_entity_tag_is_one_content_whoever_reads_when(inventory: Send, together: Send, sku: str) -> None:
    put(inventory, sku, 100)

    reads = [("GET", f"/inventory/{sku}", None)] * 3
    answers = together([each for n in range(20) for each in (adjustment(sku, -1, f"k{n}"), *reads)])

    contents: dict[str, set[bytes]] = {}
    for answer in answers:
        contents.setdefault(answer.headers["etag"], set()).add(answer.body)
    assert len(contents) <= 21
    assert {len(bodies) for bodies in contents.values()} == {1}


def test_a_key_belongs_to_one_delta_and_one_item(inventory: Send, sku: str) -> None:
    put(inventory, sku, 5)
    put(inventory, f"{sku}-2", 5)
    adjust(inventory, sku, -2, "order-1")

    answer = adjust(inventory, sku, -1, "order-1")

    assert answer.status == 422
    assert "Idempotency-Key" in answer.json["detail"]
    assert inventory("GET", f"/inventory/{sku}").json["qty"] == 3
    assert adjust(inventory, f"{sku}-2", -1, "order-1").json["qty"] == 4


def test_a_refused_key_may_be_used_again(inventory: Send, sku: str) -> None:
    put(inventory, sku, 1)
    assert adjust(inventory, sku, -2, "order-1").status == 409
    adjust(inventory, sku, 5)

    assert adjust(inventory, sku, -2, "order-1").json["qty"] == 4


@pytest.mark.parametrize("keyed", [False, True])
def test_200_concurrent_adjustments_end_at_the_exact_sum(
    inventory: Send, together: Send, sku: str, *, keyed: bool
) -> None:
    put(inventory, sku, 1000)

    answers = together([adjustment(sku, -3 if n % 2 else 1, f"k{n}" if keyed else None) for n in range(200)])

    assert {answer.status for answer in answers} == {200}
    item = inventory("GET", f"/inventory/{sku}").json
    assert item["qty"] == 1000 - 300 + 100
    assert item["version"] == 201


def test_concurrent_buyers_never_oversell(inventory: Send, together: Send, sku: str) -> None:
    put(inventory, sku, 10)

    answers = together([adjustment(sku, -1)] * 30)

    assert sorted(answer.status for answer in answers) == [200] * 10 + [409] * 20
    assert inventory("GET", f"/inventory/{sku}").json["qty"] == 0


@pytest.mark.parametrize(
    "body", ['{"delta":0}', '{"delta":1.0}', '{"delta":"1"}', '{"delta":true}', "{}", '{"delta":2000000000}']
)
def test_a_delta_is_a_whole_number_other_than_zero(inventory: Send, sku: str, body: str) -> None:
    put(inventory, sku, 5)

    assert inventory("POST", f"/inventory/{sku}/adjustments", body).status == 422
    assert inventory("GET", f"/inventory/{sku}").json["version"] == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_an_idempotency_key_is_visible_ascii(inventory: Send, sku: str, key: str) -> None:
    put(inventory, sku, 5)

    answer = adjust(inventory, sku, 1, key)

    assert answer.status == 422
    assert answer.json["errors"][0]["parameter"] == "Idempotency-Key"
