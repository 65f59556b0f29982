from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

Send = Callable[..., Any]
TEA = {"name": "Assam tea", "qty": 5, "price": 19.9, "category": "tea", "description": "Strong."}


def test_a_created_item_can_be_read(inventory: Send, sku: str) -> None:
    created = inventory("POST", "/inventory", {"sku": sku, **TEA})

    assert created.status == 201
    assert created.headers["location"] == f"/inventory/{sku}"
    assert created.json["status"] == "created"
    read = inventory("GET", f"/inventory/{sku}")
    assert read.status == 200
    assert read.json == created.json["item"]
    assert read.headers["etag"] == created.headers["etag"]
    assert b'"price":19.90,' in read.body
    assert read.json["version"] == 1
    assert read.json["created_at"] == read.json["updated_at"]


def test_a_sku_is_created_once(inventory: Send, sku: str) -> None:
    assert inventory("POST", "/inventory", {"sku": sku, **TEA}).status == 201

    again = inventory("POST", "/inventory", {"sku": sku, "name": "Other", "qty": 1})

    assert again.status == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert inventory("GET", f"/inventory/{sku}").json["name"] == "Assam tea"


def test_many_creators_and_one_wins(together: Send, sku: str) -> None:
    answers = together([("POST", "/inventory", {"sku": sku, "name": f"N{n}", "qty": n}) for n in range(8)])

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7


@pytest.mark.parametrize("price", ["1e20", "-1", "0.001", '"19,99"', "true"])
def test_a_bad_price_is_refused_and_nothing_is_stored(inventory: Send, sku: str, price: str) -> None:
    answer = inventory("POST", "/inventory", f'{{"sku":"{sku}","name":"x","qty":1,"price":{price}}}')

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "#/price"
    assert inventory("GET", f"/inventory/{sku}").status == 404


@pytest.mark.parametrize("price", ["1e400", "NaN", "Infinity", "1e9999999999999999999"])
def test_a_number_that_json_cannot_hold_is_refused_and_nothing_is_stored(inventory: Send, sku: str, price: str) -> None:
    answer = inventory("POST", "/inventory", f'{{"sku":"{sku}","name":"x","qty":1,"price":{price}}}')

    assert answer.status == 400
    assert inventory("GET", f"/inventory/{sku}").status == 404


def test_an_item_that_is_current_need_not_be_sent_again(inventory: Send, sku: str) -> None:
    tag = inventory("POST", "/inventory", {"sku": sku, **TEA}).headers["etag"]

    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = inventory("GET", f"/inventory/{sku}", headers={"if-none-match": header})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert inventory("GET", f"/inventory/{sku}", headers={"if-none-match": '"other"'}).status == 200


def test_put_creates_then_replaces_the_whole_item(inventory: Send, sku: str) -> None:
    created = inventory("PUT", f"/inventory/{sku}", TEA)
    replaced = inventory("PUT", f"/inventory/{sku}", {"sku": sku, "name": "Green tea", "qty": 0})

    assert (created.status, replaced.status) == (201, 200)
    assert created.headers["location"] == f"/inventory/{sku}"
    assert "location" not in replaced.headers
    read = inventory("GET", f"/inventory/{sku}")
    assert read.json == replaced.json
    assert read.headers["etag"] == replaced.headers["etag"]
    assert set(read.json) == {"sku", "name", "qty", "version", "created_at", "updated_at"}
    assert read.json["version"] == 2
    assert read.json["created_at"] == created.json["created_at"]


def test_put_refuses_another_sku_in_the_body(inventory: Send, sku: str) -> None:
    answer = inventory("PUT", f"/inventory/{sku}", {"sku": "OTHER", **TEA})

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "#/sku"


def test_put_honours_if_match(inventory: Send, sku: str) -> None:
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": "*"}).status == 412
    first = inventory("PUT", f"/inventory/{sku}", TEA).headers["etag"]
    second = inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": first})

    assert second.status == 200
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": first}).status == 412
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": f"W/{second.headers['etag']}"}).status == 412
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": f'"x", {second.headers["etag"]}'}).status == 200
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": "unquoted"}).status == 400
    assert inventory("GET", f"/inventory/{sku}").json["version"] == 3


def test_put_honours_if_none_match(inventory: Send, sku: str) -> None:
    created = inventory("PUT", f"/inventory/{sku}", TEA, {"if-none-match": "*"})

    assert created.status == 201
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-none-match": "*"}).status == 412
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-none-match": created.headers["etag"]}).status == 412
    assert inventory("PUT", f"/inventory/{sku}", TEA, {"if-none-match": '"0.x"'}).status == 200


def test_one_of_many_conditional_puts_wins(inventory: Send, together: Send, sku: str) -> None:
    tag = inventory("PUT", f"/inventory/{sku}", TEA).headers["etag"]

    answers = together([("PUT", f"/inventory/{sku}", {**TEA, "qty": n}, {"if-match": tag}) for n in range(8)])

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7
    winner = next(answer for answer in answers if answer.status == 200)
    assert inventory("GET", f"/inventory/{sku}").json == winner.json


def test_versions_count_every_concurrent_put(together: Send, sku: str) -> None:
    answers = together([("PUT", f"/inventory/{sku}", {**TEA, "qty": n}) for n in range(24)])

    assert sorted(answer.status for answer in answers) == [200] * 23 + [201]
    assert sorted(answer.json["version"] for answer in answers) == list(range(1, 25))


def test_delete_succeeds_also_when_absent(inventory: Send, sku: str) -> None:
    inventory("PUT", f"/inventory/{sku}", TEA)

    for _ in range(2):
        answer = inventory("DELETE", f"/inventory/{sku}")
        assert (answer.status, answer.json) == (200, {"status": "deleted", "sku": sku})
    assert inventory("GET", f"/inventory/{sku}").status == 404


def test_delete_honours_if_match(inventory: Send, sku: str) -> None:
    tag = inventory("PUT", f"/inventory/{sku}", TEA).headers["etag"]

    assert inventory("DELETE", f"/inventory/{sku}", headers={"if-match": '"1.x"'}).status == 412
    assert inventory("DELETE", f"/inventory/{sku}", headers={"if-match": tag}).status == 200
    assert inventory("DELETE", f"/inventory/{sku}", headers={"if-match": tag}).status == 412


def test_an_item_created_anew_has_another_etag(inventory: Send, sku: str) -> None:
    first = inventory("PUT", f"/inventory/{sku}", TEA).headers["etag"]
    inventory("DELETE", f"/inventory/{sku}")

    second = inventory("PUT", f"/inventory/{sku}", TEA)

    assert second.json["version"] == 1
    assert second.headers["etag"] != first


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_the_pages_hold_each_item_once(inventory: Send, limit: int) -> None:
    prefix = uuid.uuid4().hex[:8]
    own = {f"{prefix}-{number}" for number in range(15)}
    for name in own:
        inventory("PUT", f"/inventory/{name}", TEA)

    seen: list[str] = []
    query = f"limit={limit}"
    while True:
        page = inventory("GET", "/inventory", query=query)
        assert page.status == 200
        assert 0 < len(page.json["items"]) <= limit
        seen += [item["sku"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        query = f"limit={limit}&cursor={page.json['next_cursor']}"

    assert len(seen) == len(set(seen))
    assert own <= set(seen)
    for name in own:
        inventory("DELETE", f"/inventory/{name}")


def test_a_page_can_follow_an_item_that_is_gone(inventory: Send) -> None:
    prefix = uuid.uuid4().hex[:8]
    own = {f"{prefix}-{number}" for number in range(10)}
    for name in own:
        inventory("PUT", f"/inventory/{name}", TEA)
    first = inventory("GET", "/inventory", query="limit=3").json
    gone = first["items"][-1]
    kept = gone["sku"] not in own
    if not kept:
        inventory("DELETE", f"/inventory/{gone['sku']}")

    rest = inventory("GET", "/inventory", query=f"limit=100&cursor={first['next_cursor']}").json

    assert not {item["sku"] for item in first["items"]} & {item["sku"] for item in rest["items"]}
    for name in own:
        inventory("DELETE", f"/inventory/{name}")


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "A" * 5000, "%00", "e30="])
def test_a_forged_cursor_is_refused(inventory: Send, cursor: str) -> None:
    answer = inventory("GET", "/inventory", query=f"cursor={cursor}")

    assert answer.status == 422
    assert answer.json["errors"][0]["parameter"] == "cursor"
