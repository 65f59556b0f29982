"""What the sample catalogue promises: the inventory, the search index and their tests rely on it."""

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sam_template.repository import CATALOG, FILES

PRODUCTS: list[dict[str, Any]] = json.loads(CATALOG.read_text(encoding="utf-8"))

FOOD = {
    "biscuits", "breakfast", "chips", "chocolate", "dry-fruits", "energy-bars", "juices", "milk", "namkeen", "noodles",
    "oils-ghee", "sauces", "spreads", "staples", "tea-coffee",
}  # fmt: skip
CARE = {"deodorant", "hair-care", "oral-care", "skin-care", "soap"}
DIETARY_TERMS = [
    "vegetarian", "vegan", "jain", "gluten-free", "dairy-free", "sugar-free", "no-palm-oil", "organic", "high-protein",
    "cruelty-free", "paraben-free", "sulphate-free", "fragrance-free",
]  # fmt: skip
KEYS = {
    "sku", "name", "brand", "category", "description", "price", "stock", "pack_size", "dietary_terms", "ingredients",
    "quality_score", "rating",
}  # fmt: skip

# Where a plant bears an animal's word, the word is taken out before the animals are looked for.
PLANTS = re.compile(r"\b(cocoa|shea|mango|kokum|peanut|almond) butter\b|\b(coconut|oat|almond|soy) milk\b")
DAIRY = r"\b(milk|butter|buttermilk|ghee|cream|cheese|paneer|curd|whey|casein)\b"
FLESH = r"\b(eggs?|gelatine?|chicken|fish|meat)\b"
BEES_AND_WOOL = r"\b(honey|beeswax|lanolin|keratin)\b"
ANIMAL = f"{DAIRY}|{FLESH}|{BEES_AND_WOOL}"
# Compounded asafoetida is cut with wheat flour; oats count unless they were grown and milled apart.
GLUTEN = r"\b(wheat|maida|semolina|barley|malt|rye|asafoetida)\b|(?<!gluten-free )\boats?\b"
SWEET = r"\b(sugar|jaggery|honey|syrup|molasses|dates|malt|juice|nectar)\b"
NOT_JAIN = r"\b(onion|garlic|potato|beetroot|carrot|radish|ginger|honey|eggs?)\b"


def contains(product: dict[str, Any], pattern: str) -> bool:
    """Whether an ingredient matches, once plant butters and plant milks are out of the way."""
    return any(re.search(pattern, PLANTS.sub("", ingredient)) for ingredient in product["ingredients"])


each_product = pytest.mark.parametrize("product", PRODUCTS, ids=[product["sku"] for product in PRODUCTS])


@each_product
def test_a_product_is_well_formed(product: dict[str, Any]) -> None:
    assert set(product) == KEYS
    assert re.fullmatch(r"[A-Z0-9._-]{1,64}", product["sku"])
    assert 1 <= len(product["name"]) <= 200
    assert 40 <= len(product["description"]) <= 300
    assert product["description"].endswith(".")
    assert product["category"] in FOOD | CARE
    assert re.fullmatch(r"[1-9]\d{0,4}\.\d\d", product["price"])
    assert re.fullmatch(r"\d+ (g|kg|ml|l|bags)", product["pack_size"])
    assert type(product["stock"]) is int
    assert 0 <= product["stock"] <= 200
    assert type(product["quality_score"]) is int
    assert 0 <= product["quality_score"] <= 100
    assert type(product["rating"]) is float
    assert 1.0 <= product["rating"] <= 5.0
    assert round(product["rating"], 1) == product["rating"]
    for value in (product["sku"], product["name"], product["brand"], product["description"], product["pack_size"]):
        assert value == value.strip()
        assert value.isprintable()


@each_product
def test_the_lists_hold_no_surprises(product: dict[str, Any]) -> None:
    terms, ingredients = product["dietary_terms"], product["ingredients"]

    assert terms == sorted(set(terms), key=DIETARY_TERMS.index)
    assert len(ingredients) == len(set(ingredients)) >= 1
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9 -]*[a-z0-9]", ingredient) for ingredient in ingredients)


@each_product
def test_the_dietary_terms_follow_from_the_ingredients(product: dict[str, Any]) -> None:
    terms = set(product["dietary_terms"])

    assert ("vegan" in terms) == (not contains(product, ANIMAL))
    if product["category"] in FOOD:
        assert ("vegetarian" in terms) == (not contains(product, FLESH))
        assert ("dairy-free" in terms) == (not contains(product, DAIRY))
        assert ("gluten-free" in terms) == (not contains(product, GLUTEN))
        assert not terms & {"cruelty-free", "paraben-free", "sulphate-free", "fragrance-free"}
    else:
        assert ("paraben-free" in terms) == (not contains(product, "paraben"))
        assert ("sulphate-free" in terms) == (not contains(product, "sulphate"))
        scents = r"\bfragrance\b|essential oil|\bmenthol\b"
        assert ("fragrance-free" in terms) == (not contains(product, scents))
        assert not terms & {"vegetarian", "jain", "gluten-free", "dairy-free", "sugar-free", "high-protein"}
    if product["category"] in FOOD | {"soap"}:
        assert ("no-palm-oil" in terms) == (not contains(product, r"\bpalm"))
    if "sugar-free" in terms:
        assert not contains(product, SWEET)
    if "jain" in terms:
        assert "vegetarian" in terms
        assert not contains(product, NOT_JAIN)
    if "organic" in terms:
        assert all(
            "organic" in i or i in {"salt", "sea salt", "paprika", "garlic powder"} for i in product["ingredients"]
        )


def test_there_are_enough_products_and_each_sku_and_name_is_its_own() -> None:
    assert len(PRODUCTS) >= 60
    assert len({product["sku"] for product in PRODUCTS}) == len(PRODUCTS)
    assert len({(product["brand"], product["name"]) for product in PRODUCTS}) == len(PRODUCTS)


def test_a_brand_and_a_category_are_a_choice_and_not_a_single_product() -> None:
    brands = Counter(product["brand"] for product in PRODUCTS)
    categories = Counter(product["category"] for product in PRODUCTS)

    assert 8 <= len(brands) <= 14
    assert set(categories) == FOOD | CARE
    assert min(brands.values()) >= 2
    assert min(categories.values()) >= 2


def test_every_dietary_term_is_in_use() -> None:
    assert {term for product in PRODUCTS for term in product["dietary_terms"]} == set(DIETARY_TERMS)


@pytest.mark.parametrize(("low", "high"), [("0", "100"), ("100", "200"), ("200", "300"), ("300", "500")])
def test_a_price_filter_has_something_to_find_and_something_to_leave_out(low: str, high: str) -> None:
    within = [product for product in PRODUCTS if Decimal(low) <= Decimal(product["price"]) < Decimal(high)]

    assert 8 <= len(within) <= len(PRODUCTS) / 2


def test_some_products_are_sold_out_some_nearly_and_most_are_there() -> None:
    stocks = [product["stock"] for product in PRODUCTS]

    assert stocks.count(0) >= 2
    assert sum(1 <= stock <= 3 for stock in stocks) >= 4
    assert sum(stock >= 10 for stock in stocks) > 0.8 * len(stocks)


def test_vegan_chips_under_a_hundred_are_a_choice_with_and_without_palm_oil() -> None:
    chips = [
        product
        for product in PRODUCTS
        if product["category"] == "chips" and "vegan" in product["dietary_terms"] and Decimal(product["price"]) < 100
    ]

    assert sum("no-palm-oil" in product["dietary_terms"] for product in chips) >= 4
    assert sum("no-palm-oil" not in product["dietary_terms"] for product in chips) >= 2


def test_the_price_list_agrees_with_the_catalogue() -> None:
    products = {product["sku"]: product for product in PRODUCTS}
    header, *rows = (FILES / "price list ₹.csv").read_text(encoding="utf-8").splitlines()

    assert header == "sku,name,pack size,price (₹)"
    assert rows
    for sku, name, pack_size, price in (row.split(",") for row in rows):
        product = products[sku]
        assert (name, pack_size, price) == (product["name"], product["pack_size"], product["price"])


def test_the_sample_file_is_a_short_text_that_needs_utf_8() -> None:
    content = (FILES / "sample.txt").read_bytes()

    assert 16 < len(content) < 1024
    assert "₹" in content.decode("utf-8")
    assert content[:20] == b"Welcome to the shop!"
