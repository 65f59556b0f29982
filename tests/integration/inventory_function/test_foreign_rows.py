"""Rows that another writer put into the table: what is no item is named, spoils nothing else, and can be repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from emulator.aws.clients import Clients

Send = Callable[..., Any]
Put = Callable[..., None]
TEA = {"name": "Assam tea", "qty": 5}
GOOD: dict[str, Any] = {"name": {"S": "x"}, "qty": {"N": "20"}, "version": {"N": "3"}, "created_at": {"S": "t"}}
ROWS: dict[str, dict[str, Any]] = {
    "as DynamoDB imports CSV": {"qty": {"S": "20"}, "price": {"S": "99.00"}, "version": {"S": "3"}},
    "qty is a text": {"qty": {"S": "20"}},
    "qty is a fraction": {"qty": {"N": "1.5"}},
    "qty is missing": {"qty": None},
    "name is missing": {"name": None},
    "name is a number": {"name": {"N": "1"}},
    "price is a text": {"price": {"S": "99.00"}},
    "description is a list": {"description": {"L": []}},
    "version is a text": {"version": {"S": "3"}},
    "version is null": {"version": {"NULL": True}},
    "version is a fraction": {"version": {"N": "0.5"}},
    "created_at is a number": {"created_at": {"N": "1"}},
    "created_at and version are maps": {"created_at": {"M": {}}, "version": {"M": {"a": {"S": "b"}}}},
    "updated_at is a set": {"updated_at": {"SS": ["a"]}},
}


@pytest.fixture
def put(owner: Clients, function_environment: Mapping[str, str], sku: str) -> Iterator[Put]:
    """Put a row with `sku`: a good one, changed by the attributes that are given."""
    table = function_environment["TABLE_NAME"]

    def put(changed: Mapping[str, Any], sku: str = sku) -> None:
        row = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
        owner.dynamodb.put_item(TableName=table, Item={"sku": {"S": sku}, **row})

    yield put
    owner.dynamodb.delete_item(TableName=table, Key={"sku": {"S": sku}})


@pytest.mark.parametrize("changed", ROWS.values(), ids=ROWS)
class TestRows:
    def test_a_read_says_what_is_wrong(self, inventory: Send, put: Put, sku: str, changed: dict[str, Any]) -> None:
        put(changed)

        answer = inventory("GET", f"/inventory/{sku}")

        assert answer.status == 409
        assert answer.json["detail"].startswith(f"The stored item {sku} cannot be read: ")
        assert any(name in answer.json["detail"] for name in changed)

    def test_a_list_goes_on_and_names_the_row(
        self, inventory: Send, put: Put, sku: str, changed: dict[str, Any], catalog: list[dict[str, Any]]
    ) -> None:
        put(changed)

        pages, cursor = [], ""
        while cursor is not None:
            pages.append(inventory("GET", "/inventory", query=f"limit=10{cursor and f'&cursor={cursor}'}"))
            assert pages[-1].status == 200
            cursor = pages[-1].json["next_cursor"]

        assert {product["sku"] for product in catalog} <= {item["sku"] for page in pages for item in page.json["items"]}
        assert [sku for page in pages for sku in page.json.get("unreadable", [])] == [sku]

    @pytest.mark.parametrize("key", [None, "k1"])
    def test_an_adjustment_says_what_is_wrong_unless_it_mends_it(
        self, inventory: Send, put: Put, sku: str, changed: dict[str, Any], key: str | None
    ) -> None:
        put(changed)

        headers = {} if key is None else {"idempotency-key": key}
        answer = inventory("POST", f"/inventory/{sku}/adjustments", {"delta": 1}, headers)

        assert answer.status == (200 if set(changed) == {"updated_at"} else 409)
        assert answer.status == 200 or "cannot be read" in answer.json["detail"]
        inventory("PUT", f"/inventory/{sku}", TEA)

    @pytest.mark.parametrize("headers", [{}, {"if-match": "*"}])
    def test_a_replacement_repairs_it(
        self, inventory: Send, put: Put, sku: str, changed: dict[str, Any], headers: dict[str, str]
    ) -> None:
        put(changed)

        repaired = inventory("PUT", f"/inventory/{sku}", TEA, headers)

        assert repaired.status == 200
        read = inventory("GET", f"/inventory/{sku}")
        assert (read.status, read.json, read.headers["etag"]) == (200, repaired.json, repaired.headers["etag"])
        again = inventory("PUT", f"/inventory/{sku}", TEA, {"if-match": read.headers["etag"]})
        assert again.json["version"] == read.json["version"] + 1

    def test_conditions_that_do_not_hold_are_refused_as_ever(
        self, inventory: Send, put: Put, sku: str, changed: dict[str, Any]
    ) -> None:
        put(changed)

        for headers in ({"if-none-match": "*"}, {"if-match": '"1.x"'}):
            assert inventory("PUT", f"/inventory/{sku}", TEA, headers).status == 412
        assert inventory("POST", "/inventory", {"sku": sku, **TEA}).status == 409
        assert inventory("DELETE", f"/inventory/{sku}").status == 200


def test_an_optional_field_that_is_null_is_absent(inventory: Send, put: Put, sku: str) -> None:
    put({"price": {"NULL": True}, "description": {"NULL": True}, "category": {"NULL": True}})

    read = inventory("GET", f"/inventory/{sku}")

    assert read.json == {"sku": sku, "name": "x", "qty": 20, "version": 3, "created_at": "t"}
    assert inventory("POST", f"/inventory/{sku}/adjustments", {"delta": 1}).json["qty"] == 21


def test_a_sku_that_no_path_can_name_is_in_the_list(inventory: Send, put: Put, owner: Clients) -> None:
    put(ROWS["qty is a text"], sku="CSV 1/2")

    pages = inventory("GET", "/inventory", query="limit=100")

    assert pages.json["unreadable"] == ["CSV 1/2"]
    from app.config import settings

    owner.dynamodb.delete_item(TableName=settings().table_name, Key={"sku": {"S": "CSV 1/2"}})
