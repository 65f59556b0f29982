from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.inventory import CALL_SECONDS, Inventory, StockEntry
from shopping_bot.deadline import Deadline

from lambda_http import aws_clients


class Table:
    """Answers BatchGetItem; leaves the last `unprocessed` keys of each call to the next one."""

    def __init__(self) -> None:
        self.items: dict[str, Any] = {}
        self.unprocessed = 0
        self.calls: list[list[str]] = []
        self.error: Exception | None = None
        self.tries = 0

    def batch_get_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803  the API's own name
        self.tries += 1
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

    assert Inventory("inventory").quantities(["A", "B", "C", "A"], Deadline(10)) == {
        "A": StockEntry(3, Decimal("19.9")),
        "B": StockEntry(0, None),
    }
    assert table.calls == [["A", "B", "C"]]


def test_nothing_asked_is_nothing_read(table: Table) -> None:
    assert Inventory("inventory").quantities([], Deadline(10)) == {}
    assert Inventory("inventory").quantities(["", "x" * 3000], Deadline(10)) == {}
    assert table.calls == []


def test_what_was_not_processed_is_asked_again(table: Table) -> None:
    for sku in "ABC":
        table.put(sku, 1)
    table.unprocessed = 1

    with pytest.raises(BackingServiceError, match="busy"):
        Inventory("inventory").quantities(["A", "B", "C"], Deadline(10))
    table.unprocessed = 0
    table.calls.clear()
    assert set(Inventory("inventory").quantities(["A", "B", "C"], Deadline(10))) == {"A", "B", "C"}


def test_more_than_a_batch_takes_more_reads(table: Table) -> None:
    skus = [f"S{number}" for number in range(230)]
    for sku in skus:
        table.put(sku, 1)

    assert len(Inventory("inventory").quantities(skus, Deadline(10))) == 230
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
        Inventory("inventory").quantities(["A"], Deadline(10))
    assert down.value.backing_service == "dynamodb"
    assert "s3cr3t" not in str(down.value)


def test_a_refusal_is_logged_with_its_code(table: Table, log: io.StringIO) -> None:
    table.error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "s3cr3t"}}, "BatchGetItem")

    with pytest.raises(BackingServiceError):
        Inventory("inventory").quantities(["A"], Deadline(10))

    line = json.loads(log.getvalue())
    assert (line["message"], line["aws_error"]) == ("The table could not be read", "AccessDeniedException")
    assert "s3cr3t" not in log.getvalue()


FOREIGN = [
    {"qty": {"S": "20"}, "price": {"S": "99.00"}},
    {"qty": {"N": "2.5"}},
    {"qty": {"N": "-1"}},
    {"qty": {"NULL": True}},
    {"qty": {"N": "1E+40"}},
    {"qty": {"L": []}},
    {},
]


@pytest.mark.parametrize("attributes", FOREIGN)
def test_a_row_that_the_inventory_did_not_write_has_an_unknown_quantity_and_the_others_are_read(
    table: Table, log: io.StringIO, attributes: dict[str, Any]
) -> None:
    table.put("A", 3)
    table.items["CSV-1"] = {"sku": {"S": "CSV-1"}, **attributes}
    inventory = Inventory("inventory")

    for _ in range(2):
        found = inventory.quantities(["A", "CSV-1"], Deadline(10))

    assert found["A"] == StockEntry(3, None)
    assert (found["CSV-1"].qty, found["CSV-1"].in_stock, found["CSV-1"].price) == (None, None, None)
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert line["sku"] == "CSV-1"


@pytest.mark.parametrize("price", [{"S": "99.00"}, {"N": "-5"}, {"BOOL": True}])
def test_a_price_that_cannot_be_read_is_none(table: Table, log: io.StringIO, price: dict[str, Any]) -> None:
    table.items["A"] = {"sku": {"S": "A"}, "qty": {"N": "3"}, "price": price}

    assert Inventory("inventory").quantities(["A"], Deadline(10)) == {"A": StockEntry(3, None)}
    assert "cannot be read" in log.getvalue()


def test_what_passes_is_tried_once_more(table: Table) -> None:
    errors = [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "BatchGetItem"),
        EndpointConnectionError(endpoint_url="http://x"),
    ]
    table.put("A", 3)
    original = table.batch_get_item
    for error in errors:
        left = [error]

        def fail_first(RequestItems: Any, left: list[Exception] = left) -> dict[str, Any]:  # noqa: N803  as above
            if left:
                raise left.pop()
            return original(RequestItems)

        table.batch_get_item = fail_first  # type: ignore[method-assign]
        assert Inventory("inventory").quantities(["A"], Deadline(10)) == {"A": StockEntry(3, None)}


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(endpoint_url="http://x"), ConnectTimeoutError(endpoint_url="http://x")]
)
def test_a_table_that_is_silent_is_asked_once(table: Table, error: Exception) -> None:
    table.error = error

    with pytest.raises(BackingServiceError):
        Inventory("inventory").quantities(["A"], Deadline(10))
    assert table.tries == 1


def test_the_deadline_is_kept(table: Table) -> None:
    table.put("A", 3)

    with pytest.raises(BackingServiceError, match="no time left"):
        Inventory("inventory").quantities(["A"], Deadline(CALL_SECONDS - 0.1))
    assert table.tries == 0
