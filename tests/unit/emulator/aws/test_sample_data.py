"""Sample items are what the inventory service would have written."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulator.aws import sample_data
from emulator.aws.clients import Clients
from emulator.aws.sample_data import SampleDataError

PRODUCT = {
    "sku": "CHIPS-1",
    "name": "Beetroot Chips",
    "brand": "Crunch",
    "category": "chips",
    "description": "Crisp.",
    "price": "85.00",
    "stock": 64,
    "dietary_terms": ["vegan"],
}
NOW = "2026-11-21T12:00:00.000000Z"


def test_a_product_becomes_an_item() -> None:
    assert sample_data.inventory_item(PRODUCT, NOW) == {
        "sku": {"S": "CHIPS-1"},
        "name": {"S": "Beetroot Chips"},
        "category": {"S": "chips"},
        "description": {"S": "Crisp."},
        "qty": {"N": "64"},
        "price": {"N": "85.00"},
        "version": {"N": "1"},
        "created_at": {"S": NOW},
        "updated_at": {"S": NOW},
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"price": 85.0}, "two places"), ({"price": "85"}, "two places"), ({"stock": "many"}, "many")],
)
def test_a_product_that_is_no_item_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SampleDataError, match=sentence):
        sample_data.inventory_item({**PRODUCT, **change}, NOW)
    with pytest.raises(SampleDataError, match="stock"):
        sample_data.inventory_item({name: value for name, value in PRODUCT.items() if name != "stock"}, NOW)


def test_the_catalogue_of_the_repository_is_loadable() -> None:
    products = sample_data.read_catalog()
    assert len({sample_data.inventory_item(product, NOW)["sku"]["S"] for product in products}) == len(products) >= 60


def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for text, sentence in (("{", "cannot be read"), ("{}", "must be a JSON list")):
        (tmp_path / "catalog.json").write_text(text)
        with pytest.raises(SampleDataError, match=sentence):
            sample_data.read_catalog(tmp_path / "catalog.json")


class Throttled:
    """A DynamoDB that takes two items of every call."""

    def __init__(self, *, takes: int) -> None:
        self.takes = takes
        self.stored: list[Any] = []
        self.calls = 0

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        ((table, requests),) = RequestItems.items()
        assert len(requests) <= 25
        self.calls += 1
        self.stored += requests[: self.takes]
        left = requests[self.takes :]
        return {"UnprocessedItems": {table: left} if left else {}}


def load(folder: Path, dynamodb: Throttled, count: int) -> int:
    catalog = folder / "catalog.json"
    catalog.write_text(json.dumps([{**PRODUCT, "sku": f"S{number}"} for number in range(count)]))
    return sample_data.load_catalog(cast(Clients, SimpleNamespace(dynamodb=dynamodb)), "table", catalog)


def test_what_was_left_unprocessed_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    dynamodb = Throttled(takes=10)
    assert load(tmp_path, dynamodb, 60) == 60
    assert len({request["PutRequest"]["Item"]["sku"]["S"] for request in dynamodb.stored}) == 60
    assert pauses == [0.05, 0.1, 0.05, 0.1]


def test_it_gives_up_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(SampleDataError, match="left 3 sample items unwritten"):
        load(tmp_path, Throttled(takes=0), 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sample.txt", "text/plain; charset=utf-8"),
        ("list ₹.csv", "text/csv; charset=utf-8"),
        ("photo.png", "image/png"),
        ("blob", "application/octet-stream"),
    ],
)
def test_content_types(name: str, expected: str) -> None:
    assert sample_data.content_type(Path(name)) == expected
