"""Sample items are what emulator.toml says: DynamoDB's types, a sample's members in braces."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from emulator.aws import sample_data
from emulator.aws.clients import Clients
from emulator.aws.sample_data import SampleDataError
from emulator.project.declaration import SampleItems
from tests.shop import PROJECT

NOW = "2026-11-21T12:00:00.000000Z"
ATTRIBUTES = {
    "id": {"S": "{sku}"},
    "qty": {"N": "{stock}"},
    "price": {"N": "{price}"},
    "label": {"S": "{name} ({sku})"},
    "sold": {"BOOL": "{sold}"},
    "made": {"S": "{now}"},
    "version": {"N": "1"},
}
SAMPLE = {"sku": "CHIPS-1", "name": "Beetroot", "price": "85.00", "stock": 64, "sold": False, "tags": ["vegan"]}


def declared(folder: Path, samples: Any, attributes: Any = ATTRIBUTES) -> SampleItems:
    file = folder / "samples.json"
    file.write_text(samples if isinstance(samples, str) else json.dumps(samples))
    return SampleItems("Table", file, attributes)


def test_an_item_has_the_declared_attributes_filled_in_from_its_sample(tmp_path: Path) -> None:
    assert sample_data.items_of(declared(tmp_path, [SAMPLE]), NOW) == [
        {
            "id": {"S": "CHIPS-1"},
            "qty": {"N": "64"},
            "price": {"N": "85.00"},
            "label": {"S": "Beetroot (CHIPS-1)"},
            "sold": {"BOOL": False},
            "made": {"S": NOW},
            "version": {"N": "1"},
        }
    ]


def test_without_declared_attributes_an_item_is_its_sample(tmp_path: Path) -> None:
    sample = {"id": "a", "price": 0.1, "count": 3, "on": True, "none": None, "list": [1, "b"], "map": {"deep": 1.5}}
    assert sample_data.items_of(declared(tmp_path, [sample], None), NOW) == [
        {
            "id": {"S": "a"},
            "price": {"N": "0.1"},
            "count": {"N": "3"},
            "on": {"BOOL": True},
            "none": {"NULL": True},
            "list": {"L": [{"N": "1"}, {"S": "b"}]},
            "map": {"M": {"deep": {"N": "1.5"}}},
        }
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stock": "many"}, "must have a number for {stock}, not 'many'"),
        ({"price": "Infinity"}, "must have a number for {price}"),
        ({"sold": "maybe"}, "must have true or false for {sold}, not 'maybe'"),
        ({"name": ["a", "b"]}, "needs a text or a number in name"),
    ],
)
def test_a_sample_that_is_no_item_is_named(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SampleDataError) as refused:
        sample_data.items_of(declared(tmp_path, [{**SAMPLE, **change}]), NOW)
    assert sentence in str(refused.value)
    assert str(tmp_path / "samples.json") in str(refused.value)


def test_a_member_that_a_sample_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(SampleDataError, match="needs a text or a number in stock"):
        sample_data.items_of(declared(tmp_path, [{"sku": "A", "name": "B", "price": 1, "sold": True}]), NOW)


def test_samples_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for text, sentence in (("{", "cannot be read"), ("{}", "a JSON list"), ("[1]", "a JSON list of objects")):
        with pytest.raises(SampleDataError, match=sentence):
            sample_data.items_of(declared(tmp_path, text), NOW)


def test_a_folder_of_sample_files_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SampleDataError, match=r"There is no folder .*files"):
        sample_data.load_files(cast(Clients, None), "bucket", tmp_path / "files")


def test_the_shops_catalogue_becomes_items_as_the_inventory_writes_them() -> None:
    (catalogue,) = PROJECT.declaration.items
    items = sample_data.items_of(catalogue, NOW)
    assert len({item["sku"]["S"] for item in items}) == len(items) >= 60
    for item in items:
        assert {name: next(iter(value)) for name, value in item.items()} == {
            **dict.fromkeys(("sku", "name", "category", "description", "created_at", "updated_at"), "S"),
            **dict.fromkeys(("qty", "price", "version"), "N"),
        }
        assert item["price"]["N"][-3] == "."  # rupees with two places
        assert int(item["qty"]["N"]) >= 0
        assert item["version"]["N"] == "1"


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
    samples = [{**SAMPLE, "sku": f"S{number}"} for number in range(count)]
    clients = cast(Clients, SimpleNamespace(dynamodb=dynamodb))
    return sample_data.load_items(clients, "table", declared(folder, samples))


def test_what_was_left_unprocessed_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    dynamodb = Throttled(takes=10)
    assert load(tmp_path, dynamodb, 60) == 60
    assert len({request["PutRequest"]["Item"]["id"]["S"] for request in dynamodb.stored}) == 60
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
        ("PAGE.HTML", "text/html; charset=utf-8"),
        ("list.csv.gz", "application/octet-stream"),  # compressed, it is no text
        ("blob", "application/octet-stream"),
    ],
)
def test_content_types(name: str, expected: str) -> None:
    assert sample_data.content_type(Path(name)) == expected
