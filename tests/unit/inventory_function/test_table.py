"""The cases that a real table cannot be brought into on demand; the others are integration tests."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from app import stored_item, table
from app.config import settings
from app.models import NewItem
from app.observability import logger
from app.table import InvalidCursorError, decode_cursor, encode_cursor
from botocore.exceptions import ClientError
from hypothesis import assume, given
from hypothesis import strategies as st

from lambda_http import aws_clients
from lambda_http.problem import Problem

NEW = NewItem(sku="A", name="a", qty=3)


class Table:
    """Stores what put_item brings, and loses the first answer when told to."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}
        self.loses_answer = False
        self.scanned: dict[str, Any] = {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        if self.stored:
            response: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": self.stored}
            raise ClientError(response, "PutItem")
        self.stored = request["Item"]
        if self.loses_answer:
            lost: Any = {"Error": {"Code": "InternalServerError"}, "ResponseMetadata": {"HTTPStatusCode": 500}}
            raise ClientError(lost, "PutItem")
        return {}

    def scan(self, **_request: Any) -> dict[str, Any]:
        return self.scanned


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    monkeypatch.setattr(table, "_logged", set())
    return stream


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Table:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "inventory")
    monkeypatch.setattr(table, "settings", settings.__wrapped__)
    fake = Table()
    monkeypatch.setattr(aws_clients, "dynamodb", lambda: fake)
    return fake


def test_a_creation_whose_answer_is_lost_succeeds(fake: Table) -> None:
    fake.loses_answer = True

    assert table.create(NEW) == stored_item.read(fake.stored)


def test_a_creation_that_is_sent_again_returns_what_the_first_one_stored(fake: Table) -> None:
    assert table.create(NEW) == table.create(NEW) == stored_item.read(fake.stored)


@pytest.mark.parametrize(
    "difference",
    [
        {"qty": {"N": "4"}},
        {"price": {"N": "1"}},
        {"version": {"N": "2"}},
        {"created_at": {"S": "2026-01-01T00:00:00.000000Z"}},
        {"created_at": {"S": "yesterday"}},
        {"created_at": {"S": "2026-01-01T00:00:00"}},
        {"created_at": {"NULL": True}},
        {"name": {"N": "1"}},
        {"version": {"S": "1"}},
    ],
)
def test_a_creation_of_someone_else_is_a_conflict(fake: Table, difference: dict[str, Any]) -> None:
    table.create(NEW)
    fake.stored |= difference

    with pytest.raises(Problem) as refusal:
        table.create(NEW)

    assert refusal.value.status == 409


def test_a_scan_that_stops_early_goes_on_where_it_stopped(fake: Table) -> None:
    attributes = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}}
    fake.scanned = {"Items": [attributes], "LastEvaluatedKey": {"sku": {"S": "B"}}}

    items, unreadable, next_cursor = table.page(20, None)

    assert ([item.sku for item in items], unreadable, next_cursor) == (["A"], [], encode_cursor("B"))


def test_an_item_that_cannot_be_read_is_logged_once(fake: Table, log: io.StringIO) -> None:
    fake.scanned = {"Items": [{"sku": {"S": "CSV-1"}, "name": {"S": "x"}, "qty": {"S": "20"}}]}

    pages = [table.page(20, None) for _ in range(3)]

    assert pages == [([], ["CSV-1"], None)] * 3
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["sku"], line["reason"]) == ("CSV-1", "qty is not a number")


SKUS = st.text(min_size=1, max_size=500)


@given(SKUS)
def test_a_cursor_gives_its_sku_back(sku: str) -> None:
    assert decode_cursor(encode_cursor(sku)) == sku


@given(SKUS)
def test_a_cursor_needs_no_quoting_in_a_url(sku: str) -> None:
    assert set(encode_cursor(sku)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=80))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        sku = decode_cursor(text)
    except InvalidCursorError:
        return
    assert encode_cursor(sku) == text


@given(SKUS, st.data())
def test_damage_to_a_cursor_is_found(sku: str, data: st.DataObject) -> None:
    cursor = encode_cursor(sku)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_=+/ \n"))
    assume(cursor[place] != other)

    with pytest.raises(InvalidCursorError):
        decode_cursor(cursor[:place] + other + cursor[place + 1 :])


@pytest.mark.parametrize(
    "cursor", ["", "=", "A", "AAAAAAAA", "A" * 100_000, "é" * 20, encode_cursor("A") + "=", encode_cursor("A") + "\n"]
)
def test_what_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_cursor(cursor)
