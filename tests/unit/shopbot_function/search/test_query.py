"""From arguments to the query DSL, and what may be dropped from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopping_bot.search import ingredient_names, query
from shopping_bot.search.query import RELAXABLE, Search


def test_arguments_win_over_words_and_protection_adds_up() -> None:
    search = query.read(
        {
            "query": "vegan chips under 100 without onion",
            "price_min": Decimal("20.5"),
            "dietary_terms": ["Gluten Free"],
            "avoid_ingredients": ["Palm oil", "dairy"],
            "category": "Dry Fruits",
            "brands": ["Tarangi"],
            "in_stock_only": False,
            "size": 3,
        }
    )
    assert search == Search(
        words=("chips",),
        category="dry-fruits",
        price_min=Decimal("20.5"),
        price_max=None,
        dietary_terms=("gluten-free", "vegan", "dairy-free"),
        avoid_ingredients=("palm oil", "onion"),
        brands=("Tarangi",),
        in_stock_only=False,
        size=3,
    )


@pytest.mark.parametrize("term", ["हलाल", "ஹலால்", "حلال", "হালাল", "キヌア", "шабат"])
def test_a_diet_or_a_category_in_another_script_is_a_filter_like_any(term: str) -> None:
    search = query.read({"query": "chips", "dietary_terms": [term], "category": f"{term} चिप्स"})

    filters = query.build(search, 5)["query"]["function_score"]["query"]["bool"]["filter"]
    assert {"term": {"dietary_terms": term}} in filters
    assert {"term": {"category": f"{term}-चिप्स"}} in filters


def test_the_query_has_a_place_for_everything() -> None:
    search = Search(
        words=("chips",),
        category="chips",
        price_max=Decimal("99.99"),
        dietary_terms=("vegan",),
        avoid_ingredients=("milk",),
        brands=("Tarangi", "Neelvan"),
    )
    body = query.build(search, 7)
    scored = body["query"]["function_score"]
    combined = scored["query"]["bool"]
    assert body["size"] == 7
    assert scored["field_value_factor"]["field"] == "quality_score"
    assert {"term": {"dietary_terms": "vegan"}} in combined["filter"]
    assert {"term": {"category": "chips"}} in combined["filter"]
    assert {"range": {"price": {"lte": 99.99}}} in combined["filter"]
    assert {"match_phrase": {"ingredients": "whey"}} in combined["must_not"]
    assert {"terms": {"ingredients.keyword": ["butter", "cow butter"]}} in combined["must_not"]
    assert [one["match"]["brand"]["query"] for one in combined["filter"][-1]["bool"]["should"]] == [
        "Tarangi",
        "Neelvan",
    ]


def test_without_words_everything_that_passes_is_found() -> None:
    body = query.build(query.read({"query": "something vegan under 100, please"}), 10)
    assert body["query"]["function_score"]["query"]["bool"]["must"] == [{"match_all": {}}]


def test_long_queries_are_cut() -> None:
    search = query.read({"query": " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrst")})
    assert len(search.words) == 12


@pytest.mark.parametrize("name", RELAXABLE)
def test_a_filter_is_dropped_once(name: str) -> None:
    full = Search(
        words=("dark", "chocolate"),
        category="chocolate",
        price_min=Decimal(1),
        price_max=Decimal(2),
        brands=("A",),
        in_stock_only=True,
    )
    wider = full.without(name)
    assert wider is not None
    assert wider.without(name) is None
    assert Search().without(name) is None


def test_who_avoids_or_keeps_a_diet_is_never_relaxed() -> None:
    assert not {"dietary_terms", "avoid_ingredients"} & set(RELAXABLE)
    search: Search | None = query.read({"query": "vegan chips no palm oil", "brands": ["A"], "price_max": 5})
    for name in RELAXABLE:
        assert search is not None
        search = search.without(name) or search
    assert search is not None
    assert (search.dietary_terms, search.avoid_ingredients) == (("vegan",), ("palm oil",))


@pytest.mark.parametrize(
    ("price", "admitted"),
    [(None, True), (Decimal("9.99"), False), (Decimal(10), True), (Decimal(20), True), (Decimal("20.01"), False)],
)
def test_bounds_are_inclusive(price: Decimal | None, admitted: bool) -> None:
    assert Search(price_min=Decimal(10), price_max=Decimal(20)).admits(price) == admitted


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Palm", ("palm", "palmolein", "palmate", "palmitate")),
        ("groundnuts", ("peanut", "groundnut")),
        ("Berries", ("berry",)),
        ("cloves", ("clove",)),
        ("molasses", ("molasse",)),
        ("citrus", ("citrus",)),
    ],
)
def test_other_names(name: str, words: tuple[str, ...]) -> None:
    assert ingredient_names.within(name) == words


def test_every_clause_is_one_that_the_fake_knows() -> None:
    def clauses(value: Any) -> set[str]:
        if isinstance(value, list):
            return set[str]().union(*map(clauses, value))
        if not isinstance(value, dict):
            return set()
        return set(value).union(*map(clauses, value.values()))

    body = query.build(query.read({"query": "dark chocolate no milk", "price_min": 5}), 10)
    assert {"function_score", "bool", "dis_max", "multi_match", "match_phrase", "range"} <= clauses(body)
