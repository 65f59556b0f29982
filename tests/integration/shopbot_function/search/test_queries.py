"""What customers type, and what they must and must not be shown: the sample catalogue in the search fake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from shopping_bot.backends import http
from shopping_bot.backends.elasticsearch import ProductIndex
from shopping_bot.backends.inventory import Inventory, StockEntry
from shopping_bot.deadline import Deadline
from shopping_bot.search.index import ALIAS, fill
from shopping_bot.search.product_search import ProductSearch

from lambda_http.json_secret import JsonSecret
from sam_template.repository import CATALOG
from tests.integration.emulator.backing_services.elasticsearch.node import running_node

PRODUCTS = {product["sku"]: product for product in json.loads(CATALOG.read_text())}


@dataclass
class Query:
    """`first` is on top, `shown` is among the products, `hidden` is not, `fits` holds for all of them."""

    text: str
    first: str | None = None
    shown: Sequence[str] = ()
    hidden: Sequence[str] = ()
    below: int | None = None
    above: int | None = None
    diets: Sequence[str] = ()
    free_of: Sequence[str] = ()
    brand: str | None = None
    relaxed: Sequence[str] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)


QUERIES = [
    # Words, plurals, singulars, and the fields that they stand in.
    Query("beetroot chip", "CHIPS-BEET-80G"),
    Query(
        "biscuit", shown=["BISCUIT-GLUCOSE-250G", "BISCUIT-RAGI-150G", "BISCUIT-OAT-120G"], hidden=["CHOC-MILK-100G"]
    ),
    Query("cookies", shown=["BISCUIT-RAGI-150G", "BISCUIT-OAT-120G"], hidden=["OIL-PALM-1L"]),
    Query("dark chocolates", "CHOC-DARK70-80G", shown=["CHOC-ALMOND-SF-50G"], hidden=["CHOC-MILK-100G"]),
    Query("peanut butter", "SPREAD-PEANUT-350G"),
    Query("tea", "TEA-ASSAM-500G", hidden=["CHIPS-KETTLE-SEASALT-100G"]),
    Query("milk", shown=["MILK-COW-1L", "MILK-OAT-1L", "MILK-ALMOND-1L", "MILK-SOY-1L"]),
    Query("cow milk", "MILK-COW-1L"),
    Query("diwali gift", "CHOC-HAMPER-400G"),
    Query("coffee for south indian filter", "COFFEE-FILTER-500G"),
    Query("face wash for sensitive skin", "FACEWASH-GENTLE-100ML"),
    Query("palm oil", "OIL-PALM-1L", hidden=["CHIPS-BEET-80G"]),
    Query("CHIPS-BEET-80G", "CHIPS-BEET-80G"),
    Query("5 kg atta", "ATTA-WHOLEWHEAT-5KG"),
    Query("atta 5kg", "ATTA-WHOLEWHEAT-5KG"),
    Query("sunscreen spf50", "SUNSCREEN-SPF50-50ML"),
    # Slips of the finger.
    Query("choclate", shown=["CHOC-DARK70-80G", "CHOC-MILK-100G"], hidden=["SOAP-SANDAL-125G"]),
    Query("potato chps", shown=["CHIPS-POTATO-SALT-52G", "CHIPS-POTATO-MASALA-90G"]),
    Query("bisciuts", shown=["BISCUIT-GLUCOSE-250G", "BISCUIT-DIGESTIVE-SF-200G"]),
    Query("nodles", shown=["NOODLE-MASALA-280G", "NOODLE-MILLET-180G", "NOODLE-EGG-300G"]),
    Query("hazelnut spred", "SPREAD-CHOCHAZEL-350G"),
    Query("baby shampo", "SHAMPOO-BABY-200ML"),
    # Written together or apart.
    Query("facewash", shown=["FACEWASH-GENTLE-100ML", "FACEWASH-NEEM-100ML"]),
    Query("sun screen", "SUNSCREEN-SPF50-50ML"),
    Query("tooth paste", shown=["TOOTHPASTE-CLOVE-150G", "TOOTHPASTE-HERBAL-100G"]),
    # Brands.
    Query("crunchomaya", brand="Crunchomaya", shown=["CHIPS-BEET-80G", "NOODLE-EGG-300G", "CHOC-WAFER-40G"]),
    Query("Crunchomya chips", brand="Crunchomaya", shown=["CHIPS-BEET-80G"]),
    Query("something by Neelvan", brand="Neelvan"),
    Query("Tarangi chips under 100", brand="Tarangi", below=100, shown=["CHIPS-BANANA-150G"]),
    Query("tarangi or crunchomaya chips", shown=["CHIPS-BANANA-150G", "CHIPS-BEET-80G"], hidden=["CHIPS-RAGI-100G"]),
    # Prices.
    Query("chocolate under 200", below=200, shown=["CHOC-DARK70-80G"], hidden=["CHOC-HAMPER-400G"]),
    Query("biscuits not more than ₹100", below=100, shown=["BISCUIT-RAGI-150G"], hidden=["BISCUIT-OAT-120G"]),
    Query("ghee below Rs. 400", "GHEE-COW-500ML", below=400, hidden=["GHEE-A2-1L"]),
    Query("ghee over 1,000 rupees", "GHEE-A2-1L", above=1000),
    Query("chips between 20 and 50", below=50, above=20, shown=["CHIPS-POTATO-SALT-52G"], hidden=["CHIPS-BEET-80G"]),
    Query("₹100 - ₹110 ketchup", "SAUCE-KETCHUP-500G", above=100, below=110, hidden=["SAUCE-JAIN-KETCHUP-500G"]),
    Query("dry fruits under 0.6k", "DRYFRUIT-ALMOND-500G", below=600),
    Query("dark chocolate over 70%", "CHOC-DARK70-80G"),
    Query("almonds around 300 rupees", below=375, above=225, shown=["MILK-ALMOND-1L"], hidden=["DRYFRUIT-ALMOND-500G"]),
    # Diets.
    Query("vegan chips under 100 rupees", diets=["vegan"], below=100, shown=["CHIPS-BANANA-150G"]),
    Query("vegan protein bar", "BAR-VEGAN-PROTEIN-60G", hidden=["BAR-PROTEIN-60G"]),
    Query("gluten-free oats", "CEREAL-OATS-GF-500G", diets=["gluten-free"], hidden=["CEREAL-OATS-1KG"]),
    Query("sugar free chocolate", "CHOC-ALMOND-SF-50G", diets=["sugar-free"]),
    Query("dairy free milk", diets=["dairy-free"], shown=["MILK-OAT-1L"], hidden=["MILK-COW-1L"]),
    Query("jain namkeen", diets=["jain"], shown=["NAMKEEN-MAKHANA-70G"], hidden=["NAMKEEN-BHUJIA-200G"]),
    Query("organic dal", "DAL-MOONG-ORG-500G", diets=["organic"]),
    Query("sulfate free shampoo", diets=["sulphate-free"], hidden=["SHAMPOO-ANTIDANDRUFF-180ML"]),
    Query("unscented deodorant", "DEO-ROLLON-50ML", hidden=["DEO-SPRAY-150ML"]),
    Query("high protein dal", diets=["high-protein"], shown=["DAL-TOOR-1KG", "DAL-MOONG-ORG-500G"]),
    # What to avoid, under all of its names.
    Query("chips no palm oil", free_of=["palm"], shown=["CHIPS-BEET-80G"], hidden=["CHIPS-POTATO-SALT-52G"]),
    Query("palm oil free biscuits", free_of=["palm"], shown=["BISCUIT-OAT-120G"], hidden=["BISCUIT-GLUCOSE-250G"]),
    Query("soap without palm oil", "SOAP-GOATMILK-100G", free_of=["palm"], hidden=["SOAP-SANDAL-125G"]),
    Query("noodles without onion and garlic", "NOODLE-MILLET-180G", free_of=["onion", "garlic"]),
    Query("no onion no garlic ketchup", "SAUCE-JAIN-KETCHUP-500G", hidden=["SAUCE-KETCHUP-500G"]),
    Query("protein bar without milk", "BAR-VEGAN-PROTEIN-60G", hidden=["BAR-PROTEIN-60G"]),
    Query("cookies no milk", "BISCUIT-OAT-120G", hidden=["BISCUIT-RAGI-150G"]),
    Query("nut free chocolate", free_of=["almond", "pistachio"], shown=["CHOC-DARK70-80G", "CHOC-MILK-100G"]),
    Query("I am allergic to peanuts, show me energy bars", free_of=["peanut"], hidden=["BAR-PEANUT-40G"]),
    Query("eggless noodles", free_of=["egg"], hidden=["NOODLE-EGG-300G"]),
    Query("tooth paste without fluoride", "TOOTHPASTE-HERBAL-100G", hidden=["TOOTHPASTE-CLOVE-150G"]),
    Query("juice no added sugar", free_of=["sugar"], shown=["JUICE-ORANGE-1L"], hidden=["JUICE-MANGO-1L"]),
    Query("gluten free vegan biscuits", hidden=["BISCUIT-OAT-120G", "BISCUIT-GLUCOSE-250G"]),
    # Live stock.
    Query("orange juice", "JUICE-ORANGE-1L"),
    Query("rajma in stock", "RAJMA-1KG", arguments={"in_stock_only": True}),
    Query("roasted chana", hidden=["NAMKEEN-CHANA-200G"], relaxed=["query"], arguments={"in_stock_only": True}),
    # Arguments win over words, and say what had to go.
    Query("chips under 30", below=100, shown=["CHIPS-BEET-80G"], arguments={"price_max": 100}),
    Query("chips", brand="Neelvan", arguments={"brands": ["neelvan"]}),
    Query("chips", brand="Neelvan", arguments={"brands": ["Neelvann"]}),
    Query("chips", shown=["CHIPS-BEET-80G"], relaxed=["brands"], arguments={"brands": ["Nobody"]}),
    Query("oats", diets=["gluten-free"], arguments={"dietary_terms": ["Gluten free"]}),
    Query("oats", diets=["gluten-free"], arguments={"avoid_ingredients": ["gluten"]}),
    Query("cookies", shown=["BISCUIT-OAT-120G"], relaxed=["category"], arguments={"category": "chips"}),
    Query("honey", "SPREAD-HONEY-500G", arguments={"category": "Spreads"}),
    Query("energy bars", free_of=["peanut"], shown=["BAR-PROTEIN-60G"], arguments={"avoid_ingredients": ["Peanuts"]}),
    Query("ghee", shown=["GHEE-COW-500ML"], relaxed=["price_max"], arguments={"price_max": 10}),
    Query("organic honey above 500", "SPREAD-HONEY-500G", diets=["organic"], relaxed=["price_min"]),
    Query("brown rice", "RICE-BASMATI-1KG", relaxed=["query"]),
    Query("laptop"),
    Query("xyzzy plugh under 5", relaxed=[]),
]
NOTHING = {"laptop", "xyzzy plugh under 5", "gluten free vegan biscuits"}


class FakeInventory(Inventory):
    """The stock of the sample catalogue."""

    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        return {sku: StockEntry(PRODUCTS[sku]["stock"], Decimal(PRODUCTS[sku]["price"])) for sku in skus}


@pytest.fixture(scope="module")
def search() -> Iterator[ProductSearch]:
    with running_node() as node:
        fill(node.url, CATALOG)
        yield ProductSearch(
            ProductIndex(node.url, ALIAS, JsonSecret(lambda: {"ES_API_KEY": ""}, print)), FakeInventory("inventory")
        )
        http.forget()


@pytest.mark.parametrize("query", QUERIES, ids=[f"{query.text} {dict(query.arguments) or ''}" for query in QUERIES])
def test_a_query_finds_what_it_means(search: ProductSearch, query: Query) -> None:
    found = search.search({"query": query.text, **query.arguments}, deadline=Deadline(10))
    skus = [product["sku"] for product in found["products"]]
    assert found["relaxed"] == list(query.relaxed)
    assert found["degraded"] == []
    assert found["returned"] == len(skus) <= found["total_hits"]
    assert bool(skus) == (query.text not in NOTHING)
    assert query.first is None or skus[0] == query.first, skus
    assert set(query.shown) <= set(skus)
    assert not set(query.hidden) & set(skus)
    for product in found["products"]:
        known = PRODUCTS[product["sku"]]
        assert query.brand in {None, known["brand"]}
        assert set(query.diets) <= set(known["dietary_terms"])
        assert not [part for part in known["ingredients"] if any(word in part for word in query.free_of)]
        assert product["price"] == Decimal(known["price"])
        assert query.below is None or product["price"] <= query.below
        assert query.above is None or product["price"] >= query.above
        assert (product["stock"], product["in_stock"]) == (known["stock"], known["stock"] > 0)


def test_the_table_is_long_enough() -> None:
    assert len(QUERIES) >= 40
    for query in QUERIES:
        assert {query.first or "", *query.shown, *query.hidden} - {""} <= PRODUCTS.keys(), query.text
