"""A search when Elasticsearch or the inventory does not do what it should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest
from shopping_bot.backends import BackingServiceError, http
from shopping_bot.backends.elasticsearch import ProductIndex
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search.index import ALIAS, fill
from shopping_bot.search.product_search import ProductSearch

from emulator.backing_services.elasticsearch import Elasticsearch
from lambda_http.json_secret import JsonSecret, SecretError
from sam_template.repository import CATALOG
from tests.integration.emulator.backing_services.elasticsearch.node import running_node


class FakeInventory(Inventory):
    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        return {sku: StockEntry(1, Decimal("1.00")) for sku in skus}


@pytest.fixture
def node() -> Iterator[Elasticsearch]:
    with running_node(api_key="b2xkOmtleQ==") as node:
        fill(node.url, CATALOG, api_key=node.api_key)
        yield node
        http.forget()


def search(node: Elasticsearch, secrets: JsonSecret, index: str = ALIAS) -> ProductSearch:
    return ProductSearch(ProductIndex(node.url, index, secrets), FakeInventory("inventory"))


def test_a_rotated_key_needs_no_deployment(node: Elasticsearch) -> None:
    secret = {"ES_API_KEY": "b2xkOmtleQ=="}
    products = search(node, JsonSecret(lambda: dict(secret), print))
    assert products.search({"query": "chips"}, deadline=Deadline(10))["returned"] == 9
    node.api_key = secret["ES_API_KEY"] = "bmV3OmtleQ=="
    assert products.search({"query": "chips"}, deadline=Deadline(10))["returned"] == 9


@pytest.mark.parametrize(("key", "reason"), [("wrong", "is refused"), ("", "is not set")])
def test_a_refused_key_is_named_and_never_shown(node: Elasticsearch, key: str, reason: str) -> None:
    products = search(node, JsonSecret(lambda: {"ES_API_KEY": key}, print))
    with pytest.raises(SecretError) as refused:
        products.search({"query": "chips"}, deadline=Deadline(10))
    assert str(refused.value) == f"ES_API_KEY {reason}"


def test_a_missing_index_says_what_fills_it(node: Elasticsearch) -> None:
    products = search(node, JsonSecret(lambda: {"ES_API_KEY": node.api_key}, print), "missing")
    with pytest.raises(BackingServiceError, match="no index missing; `make index` fills it"):
        products.search({"query": "chips"}, deadline=Deadline(10))


def test_a_stopped_node_is_down(node: Elasticsearch) -> None:
    url = f"{node.url[:-5]}1"
    products = ProductSearch(
        ProductIndex(url, ALIAS, JsonSecret(lambda: {"ES_API_KEY": "x"}, print)), FakeInventory("inventory")
    )
    with pytest.raises(BackingServiceError, match="elasticsearch"):
        products.search({"query": "chips"}, deadline=Deadline(2))


def test_the_price_of_the_inventory_is_shown(node: Elasticsearch) -> None:
    products = search(node, JsonSecret(lambda: {"ES_API_KEY": node.api_key}, print))
    found = products.search({"query": "chips"}, deadline=Deadline(10))
    assert {product["price"] for product in found["products"]} == {Decimal("1.00")}
    # Fitting is judged by the price of the inventory too: in the index chips cost 20 and more.
    assert products.search({"query": "chips", "price_min": 50}, deadline=Deadline(10))["relaxed"] == ["price_min"]


def test_reaching_asks_for_the_index(node: Elasticsearch) -> None:
    ProductIndex(node.url, ALIAS, JsonSecret(lambda: {"ES_API_KEY": node.api_key}, print)).reach(5)
    with pytest.raises(BackingServiceError):
        ProductIndex(node.url, "missing", JsonSecret(lambda: {"ES_API_KEY": node.api_key}, print)).reach(5)
