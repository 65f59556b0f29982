"""Products and wishes in scripts that are not Latin find each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from shopping_bot.backends import http
from shopping_bot.backends.elasticsearch import ProductIndex
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search.index import ALIAS, fill, read_catalog
from shopping_bot.search.product_search import ProductSearch

from lambda_http.json_secret import JsonSecret
from sam_template.repository import CATALOG
from tests.integration.emulator.backing_services.elasticsearch.node import running_node

TEA = {
    "HINDI": ("मसाला चाय", ["अदरक", "लहसुन"]),
    "TAMIL": ("மசாலா தேநீர்", ["இஞ்சி", "பூண்டு"]),
    "BENGALI": ("মশলা চা", ["আদা", "রসুন"]),
    "TELUGU": ("మసాలా టీ", ["అల్లం", "వెల్లుల్లి"]),
    "ARABIC": (
        "\u0634\u064e\u0627\u064a \u0628\u0627\u0644\u0646\u064e\u0639\u0646\u0627\u0639",
        ["\u062b\u0648\u0645"],
    ),
    "PERSIAN": (
        "\u0686\u0627\u06cc \u0633\u0628\u0632\u200c\u0631\u0646\u06af",
        ["\u0632\u0646\u062c\u0628\u06cc\u0644"],
    ),
}


class AlwaysThere(Inventory):
    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        return {sku: StockEntry(1, Decimal("50.00")) for sku in skus}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductSearch]:
    like = read_catalog(CATALOG)[0]
    products = [
        {**like, "sku": sku, "name": name, "brand": "X", "description": "", "category": "chai", "ingredients": made_of}
        for sku, (name, made_of) in TEA.items()
    ]
    catalog = tmp_path_factory.mktemp("catalog") / "catalog.json"
    catalog.write_text(json.dumps([*products, *read_catalog(CATALOG)]))
    with running_node() as node:
        fill(node.url, catalog)
        index = ProductIndex(node.url, ALIAS, JsonSecret(lambda: {"ES_API_KEY": ""}, print))
        yield ProductSearch(index, AlwaysThere("inventory"))
        http.forget()


def find(search: ProductSearch, **arguments: Any) -> dict[str, Any]:
    return search.search(arguments, deadline=Deadline(10))


@pytest.mark.parametrize("sku", TEA)
def test_a_product_is_found_by_each_word_of_its_name(search: ProductSearch, sku: str) -> None:
    name, _ = TEA[sku]
    for wish in (name, *name.split(" ")):
        found = find(search, query=wish)
        assert (found["products"][0]["sku"], found["relaxed"]) == (sku, []), wish


@pytest.mark.parametrize("sku", TEA)
def test_a_product_with_what_is_to_be_avoided_is_never_shown(search: ProductSearch, sku: str) -> None:
    name, ingredients = TEA[sku]
    for wish in ({"query": f"{name} without {ingredients[-1]}"}, {"query": name, "avoid_ingredients": ingredients}):
        assert sku not in [product["sku"] for product in find(search, **wish)["products"]], wish


@pytest.mark.parametrize("diet", ["हलाल", "ஹலால்", "\u062d\u0644\u0627\u0644", "шабат", "キヌア"])
def test_a_diet_that_no_product_promises_finds_nothing(search: ProductSearch, diet: str) -> None:
    found = find(search, query="chips", dietary_terms=[diet])

    assert (found["total_hits"], found["products"], found["relaxed"]) == (0, [], [])


@pytest.mark.parametrize("category", ["चिप्स", "சிப்ஸ்"])
def test_a_category_that_there_is_not_is_said_to_be_given_up(search: ProductSearch, category: str) -> None:
    found = find(search, query="chips", category=category)

    assert found["products"]
    assert found["relaxed"] == ["category"]
