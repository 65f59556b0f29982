"""The cases that a real table cannot be brought into on demand; the others are integration tests."""

from __future__ import annotations

from typing import Any

import pytest
from app import clients, stored_item, table
from app.config import settings
from app.models import NewItem
from app.problem import Problem
from botocore.exceptions import ClientError

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
def fake(monkeypatch: pytest.MonkeyPatch) -> Table:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "inventory")
    monkeypatch.setattr(table, "settings", settings.__wrapped__)
    fake = Table()
    monkeypatch.setattr(clients, "dynamodb", lambda: fake)
    return fake


def test_a_creation_whose_answer_is_lost_succeeds(fake: Table) -> None:
    fake.loses_answer = True

    assert table.create(NEW) == stored_item.read(fake.stored)


def test_a_creation_of_someone_else_is_a_conflict(fake: Table) -> None:
    table.create(NEW)

    with pytest.raises(Problem) as refusal:
        table.create(NEW)

    assert refusal.value.status_code == 409


def test_a_scan_that_stops_early_goes_on_where_it_stopped(fake: Table) -> None:
    attributes = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}}
    fake.scanned = {"Items": [attributes], "LastEvaluatedKey": {"sku": {"S": "B"}}}

    items, last = table.page(20, None)

    assert ([item.sku for item in items], last) == (["A"], "B")
