"""The inventory's fixtures are about items of the catalogue, and no two of them change the same one."""

import json
from collections import Counter
from typing import Any

import pytest

from sam_template.repository import REPOSITORY

EVENTS = REPOSITORY / "events" / "inventory"
FIXTURES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.glob("*.json"))}
SKUS = {product["sku"] for product in json.loads((REPOSITORY / "sample_data" / "catalog.json").read_text("utf-8"))}


def read(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def test_a_write_that_succeeds_has_an_item_of_its_own() -> None:
    written = Counter(
        event["pathParameters"]["sku"]
        for event in FIXTURES.values()
        if "sku" in event.get("pathParameters", {}) and event["requestContext"]["http"]["method"] != "GET"
    )
    del written["NO-SUCH-ITEM"]
    read_items = {event["pathParameters"]["sku"] for name, event in FIXTURES.items() if name.startswith("get_item")} - {
        "NO-SUCH-ITEM"
    }

    assert set(written.values()) == {1}
    assert read_items <= SKUS
    assert not read_items & set(written)
    assert "NO-SUCH-ITEM" not in SKUS
    for new in ("create_item", "put_item_new"):
        event = FIXTURES[new]
        assert event.get("pathParameters", json.loads(event["body"]))["sku"] not in SKUS


@pytest.mark.parametrize("name", ["stage/get_item", "rest/get_item", "rest/get_item_stage"])
def test_a_variant_reads_an_item_of_the_catalogue(name: str) -> None:
    assert read(name)["pathParameters"]["sku"] in SKUS


def test_the_variant_of_a_load_balancer_reads_an_item_of_the_catalogue() -> None:
    event = read("alb/get_item")

    assert event["httpMethod"] == "GET"
    assert event["path"].removeprefix("/inventory/") in SKUS
