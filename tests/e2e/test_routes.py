"""Every route of the inventory API over `sam local start-api` and the gateway, as a front end meets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def sample_data(reset: Callable[[], None]) -> None:
    reset()


@pytest.fixture
def sku(client: httpx.Client) -> str:
    """An item of this test alone, with a stock of 1000."""
    name = "TEST-ITEM"
    created = client.post("/inventory", json={"sku": name, "name": "Test item", "qty": 1000, "price": 19.99})
    assert created.status_code == 201
    return name


def test_the_root_says_that_the_service_is_alive(client: httpx.Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["service"] == "inventory"


def test_an_item_is_created_once(client: httpx.Client) -> None:
    item = {"sku": "NEW-1", "name": "New", "qty": 3, "price": 19.99, "category": "snacks", "description": "₹ & ünïcode"}
    created = client.post("/inventory", json=item)
    assert created.status_code == 201
    assert created.json()["status"] == "created"
    assert created.headers["location"].endswith("/inventory/NEW-1")
    assert {key: created.json()["item"][key] for key in item} == item
    assert client.get("/inventory/NEW-1").json() == created.json()["item"]
    # The same request again is taken for a retry whose first answer was lost.
    assert client.post("/inventory", json=item).json() == created.json()
    again = client.post("/inventory", json=item | {"qty": 4})
    assert again.status_code == 409
    assert again.headers["content-type"] == PROBLEM


def test_the_list_gives_every_item_once(client: httpx.Client, catalog: list[dict[str, Any]]) -> None:
    def pages() -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
            page = client.get("/inventory", params=query).json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    skus = [item["sku"] for item in pages()]
    assert sorted(skus) == sorted(product["sku"] for product in catalog)


def test_an_unchanged_item_is_not_sent_again(client: httpx.Client, sku: str) -> None:
    etag = client.get(f"/inventory/{sku}").headers["etag"]
    unchanged = client.get(f"/inventory/{sku}", headers={"if-none-match": etag})
    assert unchanged.status_code == 304
    assert unchanged.content == b""


def test_a_stale_writer_is_told(client: httpx.Client, sku: str) -> None:
    item = {"name": "Renamed", "qty": 5}
    stale = client.get(f"/inventory/{sku}").headers["etag"]
    assert client.put(f"/inventory/{sku}", json=item, headers={"if-match": stale}).status_code == 200
    refused = client.put(f"/inventory/{sku}", json={**item, "name": "Lost"}, headers={"if-match": stale})
    assert refused.status_code == 412
    assert client.get(f"/inventory/{sku}").json()["name"] == "Renamed"


def test_put_makes_what_is_not_there(client: httpx.Client) -> None:
    assert client.put("/inventory/PUT-1", json={"name": "Made", "qty": 1}).status_code == 201
    assert client.put("/inventory/PUT-1", json={"name": "Made again", "qty": 2}).status_code == 200


def test_delete_is_repeatable(client: httpx.Client, sku: str) -> None:
    for _ in range(2):
        answer = client.delete(f"/inventory/{sku}")
        assert answer.status_code == 200
        assert answer.json() == {"status": "deleted", "sku": sku}
    assert client.get(f"/inventory/{sku}").status_code == 404


def test_an_adjustment_is_refused_below_zero(client: httpx.Client, sku: str) -> None:
    assert client.post(f"/inventory/{sku}/adjustments", json={"delta": -1001}).status_code == 409
    assert client.post("/inventory/NONE/adjustments", json={"delta": -1}).status_code == 404
    assert client.get(f"/inventory/{sku}").json()["qty"] == 1000


def test_a_replayed_adjustment_changes_nothing(client: httpx.Client, sku: str) -> None:
    for _ in range(3):
        key = {"idempotency-key": "order-4711"}
        answer = client.post(f"/inventory/{sku}/adjustments", json={"delta": -2}, headers=key)
        assert answer.status_code == 200
        assert answer.json()["qty"] == 998


def test_two_hundred_concurrent_adjustments_end_at_the_exact_sum(client: httpx.Client, sku: str) -> None:
    def adjust(number: int) -> int:
        # every second one says who it is, and is sent twice
        headers = {"idempotency-key": f"order-{number}"} if number % 2 else {}
        for _ in range(2 if headers else 1):
            answer = client.post(f"/inventory/{sku}/adjustments", json={"delta": -3}, headers=headers, timeout=60)
        return answer.status_code

    with ThreadPoolExecutor(32) as clients:
        statuses = list(clients.map(adjust, range(200)))
    assert set(statuses) == {200}
    assert client.get(f"/inventory/{sku}").json()["qty"] == 1000 - 200 * 3


def test_a_file_is_downloaded_whole_in_part_and_not_again(client: httpx.Client) -> None:
    whole = client.get("/file/download/sample.txt")
    assert whole.status_code == 200
    assert whole.headers["content-type"].startswith("text/plain")
    assert "sample.txt" in whole.headers["content-disposition"]
    part = client.get("/file/download/sample.txt", headers={"range": "bytes=3-9"})
    assert part.status_code == 206
    assert part.content == whole.content[3:10]
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"
    beyond = client.get("/file/download/sample.txt", headers={"range": "bytes=999999-"})
    assert beyond.status_code == 416
    same = client.get("/file/download/sample.txt", headers={"if-none-match": whole.headers["etag"]})
    assert same.status_code == 304


def test_the_openapi_document_names_every_route(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/inventory", "/inventory/{sku}", "/inventory/{sku}/adjustments", "/file/download/{filename}"} <= set(paths)
    assert client.get("/docs").status_code == 200


def test_a_page_of_another_origin_may_call(client: httpx.Client) -> None:
    preflight = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    for path in ("/inventory", "/inventory/CHIPS-BEET-80G", "/chat"):
        answer = client.options(path, headers=preflight)
        assert answer.is_success
        assert answer.headers["access-control-allow-origin"]


BAD_ITEMS = [
    b"{",
    b"",
    b"[]",
    b'"text"',
    b"null",
    b'{"sku":"BAD","name":"n","qty":1} trailing',
    b'{"sku":"BAD","name":"n","qty":"1"}',
    b'{"sku":"BAD","name":"n","qty":1.5}',
    b'{"sku":"BAD","name":"n","qty":true}',
    b'{"sku":"BAD","name":"n","qty":-1}',
    b'{"sku":"BAD","name":"n","qty":1000000001}',
    b'{"sku":"BAD","name":"n","qty":1,"price":1e400}',
    b'{"sku":"BAD","name":"n","qty":1,"price":NaN}',
    b'{"sku":"BAD","name":"n","qty":1,"price":Infinity}',
    b'{"sku":"BAD","name":"n","qty":1,"price":-0.01}',
    b'{"sku":"BAD","name":"n","qty":1,"price":0.001}',
    b'{"sku":"BAD","name":"n","qty":1,"colour":"red"}',
    b'{"sku":"BAD","name":"n","qty":1,"qty":2}',
    b'{"sku":"BAD","name":"","qty":1}',
    b'{"sku":"BAD","qty":1}',
    b'{"sku":"BAD","name":"' + b"n" * 201 + b'","qty":1}',
    b'{"sku":"BAD","name":"a\\u0000b","qty":1}',
    b'{"sku":"BAD","name":"\\ud800","qty":1}',
    b'{"sku":"BAD/../x","name":"n","qty":1}',
    b'{"sku":"' + b"B" * 65 + b'","name":"n","qty":1}',
    b'{"sku":"BAD","name":"n","qty":1,"description":' + b"[" * 5000 + b"]" * 5000 + b"}",
]


@pytest.mark.parametrize("body", BAD_ITEMS, ids=lambda body: body[:60].decode("ascii", "replace"))
def test_a_bad_item_is_refused_with_a_sentence_and_nothing_is_stored(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/inventory", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert problem["request_id"]
    assert client.get("/inventory/BAD").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/inventory?cursor=forged", 422),
        ("GET", "/inventory?limit=0", 422),
        ("GET", "/inventory?limit=many", 422),
        ("GET", "/inventory/" + "S" * 65, 422),
        ("GET", "/inventory/white%20space", 422),
        ("GET", "/file/download/..%2fsample.txt", None),
        ("GET", "/file/download/..%252fsample.txt", 400),
        ("GET", "/file/download/..", None),
        ("GET", "/file/download/a%0d%0ab.txt", 400),
        ("GET", "/file/download/a%00b.txt", 400),
        ("GET", "/file/download/missing.txt", 404),
    ],
)
def test_a_bad_path_or_query_is_refused(client: httpx.Client, method: str, path: str, status: int | None) -> None:
    answer = client.request(method, path)
    assert 400 <= answer.status_code < 500
    # None: API Gateway finds no route, and the function is not asked
    if status is not None:
        assert answer.status_code == status
        assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("megabytes", [1, 7])
def test_a_body_that_is_too_large_is_refused(client: httpx.Client, megabytes: int) -> None:
    body = json.dumps({"sku": "BAD", "name": "n", "qty": 1, "description": "d" * megabytes * 1024 * 1024})
    answer = client.post("/inventory", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "large" in answer.text.lower()
    assert client.get("/inventory/BAD").status_code == 404


def test_each_request_has_an_id_of_its_own(client: httpx.Client) -> None:
    ids = {client.get("/inventory/NONE").json()["request_id"] for _ in range(3)}
    assert len(ids) == 3
