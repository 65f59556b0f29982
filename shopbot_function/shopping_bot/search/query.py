"""From the arguments of a search to Elasticsearch's query DSL. The route and the assistant's tool share it.

Source: Elasticsearch 8.19 reference, "Query DSL". The fields are those of the products index
(shopping_bot/search/index.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lambda_http import text
from shopping_bot.search import ingredient_names, phrases

DEFAULT_SIZE = 10
MAXIMUM_SIZE = 50

# What may be dropped when nothing fits, in this order: first what costs the customer least. The query goes from all
# its words to any of them. Diets and ingredients to avoid never are: there a wrong product can hurt.
RELAXABLE = ("query", "brands", "price_min", "category", "price_max", "in_stock_only")

_SOURCE = ("sku", "name", "brand", "category", "description", "price", "pack_size", "dietary_terms", "rating")
# Not the dietary terms: "palm oil" would find whatever is without it.
_FIELDS = ("name^3", "brand^2", "category.words^2", "sku.words", "description", "ingredients", "pack_size^0.5")
# Misspelt words are looked for in names alone, and in words as they are written: "choclate" is one letter from
# "chocolate" and three from its stem. The first letter must be right, or "tea" would find the sea of sea salt.
_FUZZY_FIELDS = ("name.plain^3", "brand^2", "category.plain^2", "sku.words")
# One slip in words of 4 to 7 letters, two in longer ones: two make "cooking" of "cookies".
_FUZZINESS = "AUTO:4,8"
_FUZZY_BOOST = 0.4
# Milk whose category says so as well comes before milk chocolate.
_TIE_BREAKER = 0.3
_MAXIMUM_WORDS = 12
# Up to two words all must match, of more about three quarters.
_MOST_WORDS = "2<75%"
_DIETS = {
    "lactose-free": "dairy-free",
    "palm-oil-free": "no-palm-oil",
    "perfume-free": "fragrance-free",
    "plant-based": "vegan",
    "sugarless": "sugar-free",
    "sulfate-free": "sulphate-free",
    "unscented": "fragrance-free",
    "veg": "vegetarian",
    "without-palm-oil": "no-palm-oil",
}


@dataclass(frozen=True)
class Search:
    """What is looked for. Prices are rupees; `all_words` asks for nearly all of the words instead of any."""

    words: tuple[str, ...] = ()
    category: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    dietary_terms: tuple[str, ...] = ()
    avoid_ingredients: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    in_stock_only: bool = False
    size: int = DEFAULT_SIZE
    all_words: bool = True

    def admits(self, price: Decimal | None) -> bool:
        """Tell whether a price is within the bounds; an unknown one is."""
        if price is None:
            return True
        above = self.price_min is None or price >= self.price_min
        return above and (self.price_max is None or price <= self.price_max)

    def without(self, name: str) -> Search | None:
        """Return the search without the filter `name` of RELAXABLE, None when it has no such filter."""
        if name == "query":
            return replace(self, all_words=False) if self.all_words and len(self.words) > 1 else None
        nothing = getattr(Search(), name)
        return None if getattr(self, name) == nothing else replace(self, **{name: nothing})


def read(arguments: Mapping[str, Any]) -> Search:
    """Return the search that valid `arguments` describe.

    Phrases of the query count where no argument says otherwise: an argument for a price replaces both bounds of the
    query. Diets and ingredients to avoid add up, because each of them protects somebody.
    """
    said = phrases.understand(arguments.get("query", ""))
    avoided = [*arguments.get("avoid_ingredients", ()), *said.avoid_ingredients]
    claims = [claim for name in avoided if (claim := ingredient_names.claim(name))]
    priced = arguments.get("price_min") is not None or arguments.get("price_max") is not None
    category = arguments.get("category")
    return Search(
        words=tuple(dict.fromkeys(said.words))[:_MAXIMUM_WORDS],
        category=None if category is None else _slug(category),
        price_min=_decimal(arguments.get("price_min")) if priced else said.price_min,
        price_max=_decimal(arguments.get("price_max")) if priced else said.price_max,
        dietary_terms=_unique(map(_diet, [*arguments.get("dietary_terms", ()), *said.dietary_terms, *claims])),
        avoid_ingredients=_unique(
            ingredient_names.singular(name) for name in avoided if not ingredient_names.claim(name)
        ),
        brands=tuple(arguments.get("brands", ())),
        in_stock_only=bool(arguments.get("in_stock_only", said.in_stock_only)),
        size=int(arguments.get("size", DEFAULT_SIZE)),
    )


def build(search: Search, size: int) -> dict[str, Any]:
    """Return the body of `_search` for the best `size` products."""
    return {
        "size": size,
        "_source": list(_SOURCE),
        "track_total_hits": True,
        "query": {
            "function_score": {
                "query": {
                    "bool": {
                        "must": [_words(search)],
                        "filter": _filters(search),
                        "must_not": [clause for name in search.avoid_ingredients for clause in _made_of(name)],
                    }
                },
                # A quarter of the quality makes 13 % of the score: it decides between products that fit equally.
                "field_value_factor": {"field": "quality_score", "factor": 0.01, "modifier": "sqrt", "missing": 50},
            }
        },
    }


def _words(search: Search) -> dict[str, Any]:
    """Each word scores in its best field: words of one query may stand in different fields, the brand and the name."""
    if not search.words:
        return {"match_all": {}}
    clauses = [_word(search.words, position) for position in range(len(search.words))]
    enough = {"bool": {"should": clauses, "minimum_should_match": _MOST_WORDS if search.all_words else 1}}
    # "Dry fruits" are first what is called so, then what has something dried and some fruit in it.
    called = _multi_match(" ".join(search.words), ("name^2", "category.words^2"), type="phrase")
    return {"bool": {"must": [enough], "should": [called]}}


def _word(words: Sequence[str], position: int) -> dict[str, Any]:
    """Return the clause for one word: as it is, misspelt, or written apart where the catalogue writes it together."""
    joined = ["".join(pair) for pair in (words[max(0, position - 1) : position + 1], words[position : position + 2])]
    together = " ".join(one for one in joined if one != words[position])
    queries = [
        _multi_match(words[position], _FIELDS, tie_breaker=_TIE_BREAKER),
        _multi_match(words[position], _FUZZY_FIELDS, fuzziness=_FUZZINESS, prefix_length=1, boost=_FUZZY_BOOST),
    ]
    if together:
        queries.append(_multi_match(together, ("name.plain^3", "sku.words")))
    return {"dis_max": {"queries": queries}}


def _multi_match(text: str, fields: Iterable[str], **options: Any) -> dict[str, Any]:
    return {"multi_match": {"query": text, "fields": list(fields), **options}}


def _filters(search: Search) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [{"term": {"dietary_terms": term}} for term in search.dietary_terms]
    if search.category is not None:
        filters.append({"term": {"category": search.category}})
    bounds = {
        name: float(bound)
        for name, bound in (("gte", search.price_min), ("lte", search.price_max))
        if bound is not None
    }
    if bounds:
        filters.append({"range": {"price": bounds}})
    if search.brands:
        # Analyzed, so that the letters' case and a slip of the finger do not matter.
        close = {"operator": "and", "fuzziness": _FUZZINESS, "prefix_length": 1}
        brands = [{"match": {"brand": {"query": brand, **close}}} for brand in search.brands]
        filters.append({"bool": {"should": brands, "minimum_should_match": 1}})
    return filters


def _made_of(name: str) -> list[dict[str, Any]]:
    clauses: list[dict[str, Any]] = [{"match_phrase": {"ingredients": word}} for word in ingredient_names.within(name)]
    whole = ingredient_names.exactly(name)
    return [*clauses, {"terms": {"ingredients.keyword": list(whole)}}] if whole else clauses


def _diet(term: str) -> str:
    slug = _slug(term)
    return _DIETS.get(slug, slug)


def _slug(name: str) -> str:
    return "-".join(text.words(name.casefold()))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
