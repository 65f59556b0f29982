from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.inventory import Inventory, StockEntry

from lambda_http import aws_clients


class Table:
    """Answers BatchGetItem; leaves the last `unprocessed` keys of each call to the next one."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.unprocessed = 0
        self.calls: list[list[str]] = []
        self.error: Exception | None = None

    def batch_get_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803  the API's own name
        if self.error:
            raise self.error
        keys = RequestItems["inventory"]["Keys"]
        self.calls.append([key["sku"]["S"] for key in keys])
        cut = len(keys) - self.unprocessed
        found = [self.items[key["sku"]["S"]] for key in keys[:cut] if key["sku"]["S"] in self.items]
        answer: dict[str, Any] = {"Responses": {"inventory": found}, "UnprocessedKeys": {}}
        if keys[cut:]:
            answer["UnprocessedKeys"] = {"inventory": {"Keys": keys[cut:]}}
        return answer

    def put(self, sku: str, qty: int, price: str | None = None) -> None:
        self.items[sku] = {"sku": {"S": sku}, "qty": {"N": str(qty)}, **({"price": {"N": price}} if price else {})}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table()
    monkeypatch.setattr(aws_clients, "dynamodb", lambda *_, **__: table)
    monkeypatch.setattr("shopping_bot.backends.inventory.time.sleep", lambda _seconds: None)
    return table


def test_one_read_for_all(table: Table) -> None:
    table.put("A", 3, "19.9")
    table.put("B", 0)

    assert Inventory("inventory").quantities(["A", "B", "C", "A"]) == {
        "A": StockEntry(3, Decimal("19.9")),
        "B": StockEntry(0, None),
    }
    assert table.calls == [["A", "B", "C"]]


def test_nothing_asked_is_nothing_read(table: Table) -> None:
    assert Inventory("inventory").quantities([]) == {}
    assert Inventory("inventory").quantities(["", "x" * 3000]) == {}
    assert table.calls == []


def test_what_was_not_processed_is_asked_again(table: Table) -> None:
    for sku in "ABC":
        table.put(sku, 1)
    table.unprocessed = 1

    with pytest.raises(BackingServiceError, match="busy"):
        Inventory("inventory").quantities(["A", "B", "C"])
    table.unprocessed = 0
    table.calls.clear()
    assert set(Inventory("inventory").quantities(["A", "B", "C"])) == {"A", "B", "C"}


def test_more_than_a_batch_takes_more_reads(table: Table) -> None:
    skus = [f"S{number}" for number in range(230)]
    for sku in skus:
        table.put(sku, 1)

    assert len(Inventory("inventory").quantities(skus)) == 230
    assert [len(call) for call in table.calls] == [100, 100, 30]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "s3cr3t"}}, "BatchGetItem"),
        EndpointConnectionError(endpoint_url="http://s3cr3t"),
    ],
)
def test_a_table_that_fails_is_down(table: Table, error: Exception) -> None:
    table.error = error

    with pytest.raises(BackingServiceError) as down:
        Inventory("inventory").quantities(["A"])
    assert down.value.backing_service == "dynamodb"
    assert "s3cr3t" not in str(down.value)


def test_a_refusal_is_logged_with_its_code(table: Table, log: io.StringIO) -> None:
    table.error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "s3cr3t"}}, "BatchGetItem")

    with pytest.raises(BackingServiceError):
        Inventory("inventory").quantities(["A"])

    line = json.loads(log.getvalue())
    assert (line["message"], line["aws_error"]) == ("The table could not be read", "AccessDeniedException")
    assert "s3cr3t" not in log.getvalue()
